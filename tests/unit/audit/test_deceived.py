"""E2: bundles that are signed by everybody, and say what is not so: whoever checks is told."""


from datetime import UTC, datetime

import pytest

from holdfast.audit.request import Request
from support.bundles import codes, world

ART = "dora:art-24.4"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""Behind the runs of `world`, before the next day."""


def result(made, run, verdict="HELD", **told):
    """A result without files, which says what a forger likes."""
    made.say("result", run, **{
        "verdict": verdict, "is_postponed": False, "reason": "", "controls": [ART],
        "sealed_at": made.clock.now().isoformat(), "findings": [], "artefacts": [],
        "experiments": [{"name": "x", "verdict": verdict, "service": "api"}]} | told)


def ran(made, run, verdict="HELD", **told):
    """Plan, start and such a result."""
    made.say("plan", run)
    made.say("run-start", run)
    result(made, run, verdict, **told)
    return made


@pytest.mark.parametrize("end", [
    pytest.param({"verdict": "UNKNOWN"}, id="unknown"),
    pytest.param({"verdict": "UNKNOWN", "is_postponed": True}, id="postponed"),
    pytest.param({"verdict": "HELD", "controls": []}, id="of-no-control"),
])
def test_a_failed_run_that_is_started_again_has_failed(end):
    """Nobody need hold a key for it: they clear the run in Airflow, and stop it."""
    made = ran(world("HELD", "BROKEN"), "shop--1", **end)
    forger = made.bundle()
    found = forger.check(require=[ART])
    assert ({"GAP"}, 6) == (codes(found), found.exit_code)
    assert b"BROKEN</span>" in forger.files["report/index.html"]


def test_a_run_that_is_started_again_and_holds_shows_it():
    found = ran(world("HELD", "BROKEN"), "shop--1").bundle().check(require=[ART])
    assert [] == found.troubles


def elsewhere(made):
    """A run of another suite that has broken the control at another service."""
    for kind in ("plan", "run-start"):
        made.say(kind, "other--0", suite="other")
    result(made, "other--0", "BROKEN", suite="other",
           experiments=[{"name": "x", "verdict": "BROKEN", "service": "db"}])
    return made


@pytest.mark.parametrize("request_", [
    Request(suites=("shop",)), Request(services=("api",)), Request(until=START)],
    ids=["suite", "service", "period"])
def test_a_failure_that_the_exporter_did_not_choose_is_a_gap(request_):
    """The bundle holds its record: whoever made it has only asked not to be told of it."""
    made = world("HELD")
    made.clock.passed += 86_400
    found = elsewhere(made).bundle(request_).check(require=[ART])
    assert ({"GAP"}, 6) == (codes(found), found.exit_code)
    assert "db failing" in found.troubles[0].found


def test_what_shows_a_control_must_be_told_of():
    """The files of other runs are not in the bundle."""
    found = world("HELD").bundle(Request(suites=("none",))).check(require=[ART])
    assert {"GAP"} == codes(found)


def test_what_the_exporter_chose_is_said():
    found = elsewhere(world("HELD")).bundle(Request(suites=("shop",))).check()
    assert (0, ["the report tells of 1 of 2 runs of the period, only suites shop"]) == (
        found.exit_code, found.notes)


def test_a_result_that_is_none_behind_the_period_ends_no_check():
    made = world("HELD")
    made.clock.passed += 86_400
    found = ran(made, "late", experiments=None).bundle(Request(until=START)).check(require=[ART])
    assert {"E_MALFORMED"} == codes(found)
