"""How a control stands, and why, in each of the seven states (E2)."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.controls.coverage import coverage, gaps
from holdfast.model.control import Control, Result, State, Strength
from holdfast.model.verdict import Verdict

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HELD, UNKNOWN, BROKEN = Verdict.HELD, Verdict.UNKNOWN, Verdict.BROKEN


def control(strength=Strength.DIRECT, days=90):
    return Control("dora", "art-24.4", "T", "m", "scheduled suites", "share tested", "r", days,
                   strength)


def run(days_ago, verdict=HELD, service="api", record=0, name="dora:art-24.4"):
    return Result(f"run-{days_ago}", "suite", service, verdict, NOW - timedelta(days=days_ago),
                  record, frozenset({name}))


def stands(*results, days=365, excluded=None, **about):
    return coverage([control(**about)], results, NOW, days, excluded or {})


@pytest.mark.parametrize(("results", "state", "reason"), [
    ([run(3)], State.EVIDENCED, "run-3 held on 2026-05-29"),
    ([run(3), run(2, BROKEN)], State.FAILING, "run-2 ended BROKEN on 2026-05-30"),
    ([run(3, BROKEN), run(2)], State.EVIDENCED, "run-2 held"),
    ([run(200)], State.STALE, "the newest run that held, run-200, is 200 days old, 90 allowed"),
    ([run(400, BROKEN)], State.FAILING, "run-400"),
    ([], State.NO_EVIDENCE, "no run has named it; what would serve: scheduled suites"),
    ([run(3, UNKNOWN), run(1, UNKNOWN)], State.NO_EVIDENCE, "2 runs ended UNKNOWN"),
    ([run(3), run(1, UNKNOWN)], State.EVIDENCED, "since then 1 run ended UNKNOWN, the latest run"),
    ([run(3, name="dora:art-26")], State.NO_EVIDENCE, "no run has named it"),
])
def test_the_newest_conclusive_run_counts(results, state, reason):
    (found,) = stands(*results)
    assert (state, True) == (found.state, reason in found.reason), found


@pytest.mark.parametrize(("about", "state", "reason"), [
    ({"strength": Strength.PARTIAL}, State.PARTIAL, "a run shows a part of it only: share tested"),
    ({"strength": Strength.SUPPORTING}, State.PARTIAL, "a part of it"),
    ({"strength": Strength.NONE}, State.NOT_EVIDENCEABLE, "no fault can show it"),
    ({"strength": Strength.PLATFORM}, State.NOT_EVIDENCEABLE, "the evidence log itself"),
    ({"excluded": {"dora:art-24.4": "no bank"}}, State.NOT_APPLICABLE, "no bank"),
    ({"days": 2}, State.STALE, "3 days old, 2 allowed"),
])
def test_what_a_run_can_show_at_best_is_said(about, state, reason):
    (found,) = stands(run(3), **about)
    assert (state, True) == (found.state, reason in found.reason), found


def test_each_service_stands_by_itself_and_bears_its_records():
    found = stands(run(3, record=4), run(2, BROKEN, "database", 7), run(9, service="database"))
    assert [("api", State.EVIDENCED, (4,)), ("database", State.FAILING, (7, 0))] == [
        (s.service, s.state, s.records) for s in found]


def test_evidence_is_due_again_after_the_shorter_of_both_ages():
    assert "2026-08-27" == str(stands(run(3))[0].due)
    assert "2026-06-08" == str(stands(run(3), days=10)[0].due)


def test_the_age_limit_itself_is_still_fresh():
    assert State.EVIDENCED is stands(run(90))[0].state


def test_gaps_are_the_gravest_first_and_nothing_that_stands_well():
    found = [*stands(run(3)), *stands(run(200)), *stands(run(1, BROKEN)), *stands(),
             *stands(run(3), strength=Strength.PARTIAL), *stands(strength=Strength.NONE)]
    assert [State.FAILING, State.STALE, State.NO_EVIDENCE, State.PARTIAL] == [
        s.state for s in gaps(found)]
