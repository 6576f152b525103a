"""E2: bundles that are signed by everybody, and say what is not so: whoever checks is told."""


import pytest

from support.bundles import codes, world

ART = "dora:art-24.4"


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
