"""E2: what records of a run say of each other; all signed, all in the log."""

import pytest

from holdfast.audit.make import sha256_of
from holdfast.model.record import PREDICATES, Statement
from support.bundles import World, codes, world
from support.lies import ran, result

HELD = {"name": "x", "verdict": "HELD", "service": "api"}


def injected(made, at):
    return HELD | {"injected_boottime_ms": at, "boot_id": made.batch._boot_id, "lease_id": "l"}


@pytest.mark.parametrize(("verdict", "told"), [
    pytest.param("HELD", {"environment": "production"}, id="environment"),
    pytest.param("HELD", {"suite": "other"}, id="suite"),
    pytest.param("HELD", {"triggered_by": "lead"}, id="who-triggered-it"),
    pytest.param("HELD", {"run_id": "another"}, id="run"),
    pytest.param("HELD", {"start_index": 1}, id="start"),
    pytest.param("HELD", {"is_postponed": "no"}, id="postponed-or-not"),
    pytest.param("HELD", {"experiments": [HELD | {"verdict": "BROKEN"}]}, id="better-than-a-part"),
    pytest.param("HELD", {"whole": "BROKEN"}, id="better-than-the-whole"),
    pytest.param("BROKEN", {"experiments": [HELD], "whole": "HELD"}, id="worse-than-all-of-it"),
])
def test_a_result_at_odds_with_its_run_or_itself_is_found(verdict, told):
    found = ran(World(), "z", verdict, **told).bundle().check()
    assert "E_AT_ODDS" in codes(found)


@pytest.mark.parametrize(("verdict", "told"), [
    pytest.param("BROKEN", {"experiments": [HELD]}, id="before-the-whole-was-signed"),
    pytest.param("UNKNOWN", {"experiments": [], "whole": "HELD"}, id="nothing-tried"),
    pytest.param("BROKEN", {"experiments": [HELD], "whole": "BROKEN"}, id="the-whole-broke"),
    pytest.param("HELD", {"start_index": 2}, id="its-own-start"),
])
def test_a_result_that_agrees_is_accepted(verdict, told):
    assert [] == ran(World(), "z", verdict, **told).bundle().check().troubles


def test_controls_that_the_start_did_not_announce_are_none_of_the_result():
    made = World()
    made.say("plan", "z")
    made.say("run-start", "z", controls=[])
    result(made, "z")
    assert {"E_AT_ODDS"} == codes(made.bundle().check())


def test_a_postponed_run_has_no_fault():
    """It would count for nothing, whatever it broke."""
    made = World()
    for kind in ("plan", "run-start"):
        made.say(kind, "z")
    made.clock.passed += 10
    begun = round(made.clock.boottime() * 1000)
    result(made, "z", is_postponed=True, experiments=[injected(made, begun)])
    assert {"E_AT_ODDS"} == codes(made.bundle().check())


def test_a_postponed_run_may_tell_of_the_fault_of_an_earlier_start():
    made = world("HELD")
    begun = round(made.clock.boottime() * 1000)
    made.clock.passed += 10
    ran(made, "shop--0", is_postponed=True, experiments=[injected(made, begun)])
    assert [] == made.bundle().check().troubles


def test_a_report_puts_no_other_file_in_the_place_of_a_result_s():
    made = world("BROKEN")
    made.files[sha256_of(b"nicer")] = b"nicer"
    made.say("report", "shop--0", {"book.json": sha256_of(b"nicer")})
    assert {"E_SUBJECTS"} == codes(made.bundle().check())


@pytest.mark.parametrize("kind", ["result/v2", "Result/v1", "export/v1"])
def test_a_record_of_a_kind_that_nobody_knows_is_found(kind):
    """A failure could be told in one, and left to be overlooked."""
    made = world("HELD")
    told = {"plan_digest": "", "verdict": "BROKEN"}
    made.batch.add("z", Statement(f"{PREDICATES}{kind}", {}, told))
    found = made.bundle().check()
    assert ({"E_UNKNOWN_KIND"}, 5) == (codes(found), found.exit_code)


def test_a_result_of_no_run_is_found():
    made = world("HELD")
    made.batch.add("", Statement(f"{PREDICATES}result/v1", {}, {"verdict": "BROKEN"}))
    assert "E_AT_ODDS" in codes(made.bundle().check())


def test_a_fault_at_another_service_than_planned_shows_nothing_of_it():
    made = World()
    fault = {"type": "noop", "service": "database"}
    made.say("plan", "z", experiments=[{"name": "x", "fault": fault}, {"name": "y"}])
    made.say("run-start", "z")
    result(made, "z")
    assert {"E_AT_ODDS"} == codes(made.bundle().check())


def test_a_second_result_moves_no_experiment_to_another_service():
    made = ran(World(), "z")
    result(made, "z", experiments=[HELD | {"service": "database"}])
    assert {"E_AT_ODDS"} == codes(made.bundle().check())
