"""E2: bundles that are signed by everybody, and say what is not so: whoever checks is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.audit import places
from holdfast.audit.make import sha256_of
from holdfast.audit.request import Request
from holdfast.evidence.note import Note, cosigned
from support.bundles import WITNESSES, World, codes, retold, world
from support.lies import ART, ran, result

_LIE = b"<p>All controls are met."
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""Behind the runs of `world`, before the next day."""


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


def at_another_time(made, name, by):
    """A run that the log dates otherwise; the clock since boot goes on."""
    real = made.clock.now
    made.clock.now = lambda: real() + by
    made.run(name)
    made.clock.now = real
    return made


def test_a_record_dated_back_in_the_same_boot_is_found():
    """A key that has run out would be valid again, and a run in another period."""
    found = at_another_time(world("HELD"), "old", timedelta(days=-300)).bundle().check()
    assert "E_BACKDATED" in codes(found)


def test_a_record_dated_back_step_by_step_is_found():
    """Each is hardly older than the one before it."""
    made = World()
    for step in range(4):
        at_another_time(made, f"r{step}", timedelta(minutes=-4 * step))
    assert "E_BACKDATED" in codes(made.bundle().check())


def test_a_record_of_a_time_to_come_is_found():
    found = at_another_time(World(), "fresh", timedelta(days=1)).bundle().check()
    assert ({"E_FUTURE_RECORD"}, 5) == (codes(found), found.exit_code)


def test_a_record_dated_behind_what_witnesses_have_seen_is_found():
    """The reader's clock alone would not tell: the bundle is of a month ago."""
    made = at_another_time(World(), "fresh", timedelta(days=20))
    forger = made.bundle()
    forger.clock.passed += 30 * 86_400
    assert {"E_FUTURE_RECORD"} == codes(forger.check())


@pytest.mark.parametrize("sealed_at", [
    pytest.param("2099-01-01T00:00:00+00:00", id="for-ever-fresh"),
    pytest.param("2001-01-01T00:00:00+00:00", id="older-than-what-held"),
])
def test_a_result_sealed_at_another_time_than_it_was_is_found(sealed_at):
    """The newest result counts: a failure could be dated behind, a success before all others."""
    made = ran(world("HELD"), "z", "BROKEN", sealed_at=sealed_at)
    assert "E_SEALED_AT" in codes(made.bundle().check())


def test_a_bundle_made_at_a_time_to_come_is_found():
    """It would be young enough for ever."""
    forger = world("HELD").bundle()
    forger.manifest = replace(forger.manifest, at=forger.clock.now() + timedelta(days=300))
    forger.files |= retold(forger)
    found = forger.listed().check(bundle_age=timedelta(days=1))
    assert ({"E_FUTURE_BUNDLE"}, 5) == (codes(found), found.exit_code)


def test_one_witness_alone_makes_no_old_head_fresh():
    """It may have slept, and sign in good faith what others saw a month ago."""
    made = world("HELD")
    old = made.head()
    made.clock.passed += 30 * 86_400
    late = cosigned(old.text, "w3", WITNESSES["w3"], round(made.clock.now().timestamp()))
    forger = made.bundle(note=Note(old.text, [*old.signatures, late]))
    assert {"E_STALE_CHECKPOINT"} == codes(forger.check(bundle_age=timedelta(days=1)))


@pytest.mark.parametrize("name", [
    "report/summary.html", "READ-ME-FIRST.txt", places.entry(99), places.proof(99),
    "entries/000001.json", places.artefact(sha256_of(_LIE)), places.catalogue("other"),
    "log/tile/1/000", "oscal/profile.json", "log/checkpoint.old",
])
def test_a_file_that_follows_from_nothing_is_found_whoever_signed_for_it(name):
    forger = world("BROKEN").bundle()
    forger.files[name] = _LIE
    found = forger.listed().check()
    assert {"E_FOREIGN_FILE"} <= codes(found) <= {"E_FOREIGN_FILE", "E_REPORT_NOT_REPRODUCED"}


def test_a_tree_whose_upper_tiles_are_of_another_log_is_found():
    """Whoever walks down from the top would be shown another history."""
    made = World()
    for _ in range(260):
        made.say("plan", "z")
    forger = made.bundle()
    assert [] == forger.check().troubles
    forger.files["log/tile/1/000.p/1"] = bytes(32)
    assert {"E_TILE"} == codes(forger.listed().check())


def test_a_head_of_before_the_period_s_end_leaves_its_end_untold():
    """Genuine, cosigned, and made anew: the quarter's failures came after it."""
    made = world("HELD")
    old = made.head()
    made.clock.passed += 90 * 86_400
    over = made.clock.now() - timedelta(days=20)
    found = made.bundle(Request(until=over), old).check(until=over)
    assert ({"E_RANGE_INCOMPLETE"}, 3) == (codes(found), found.exit_code)
    assert [] == made.bundle(Request(until=over)).check(until=over).troubles
    assert [] == made.bundle(note=old).check(until=made.clock.now() + timedelta(days=9)).troubles
