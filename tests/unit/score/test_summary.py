"""K4: the summary, its risk, its confidence and its dates follow from what was found."""

from dataclasses import replace
from datetime import date

import pytest

from holdfast.model.score import Part, Score
from holdfast.model.summary import Felt, Level, Next, Told, Urgency
from holdfast.model.verdict import Finding, Verdict
from holdfast.score.summary import MOST_STRENGTHS, summarise

HELD, UNKNOWN, BROKEN = Verdict
KILL = Felt("kill", HELD, True, 400, 12, 3, 9)
FINDINGS = (
    Finding("fault", HELD, "ran its time", "kill"),
    Finding("recovery", HELD, "recovered 3.1 s after the fault", "kill",
            {"recovery_ms": 3100, "bound_ms": 30_000}),
    Finding("lost_writes", HELD, "all 5123 acknowledged writes are there"),
)
WELL = Told("shop", "platform-team", date(2026, 11, 21), False, "", (KILL,), FINDINGS)


def with_finding(*args, **changes):
    return replace(WELL, findings=(*FINDINGS, Finding(*args)), **changes)


def test_a_run_that_held_reads_as_such():
    told = summarise(WELL)
    assert (
        "1 of 1 experiments held. Of 400 requests that users sent while they felt faults, 12 "
        "failed, 9 were slow and 3 ended with an unknown outcome. The longest recovery took 3.1 s "
        "(kill, 30.0 s allowed). All 5123 acknowledged writes are there. Overall risk is low, "
        "confidence in this is high.") == told.paragraph
    assert ([], [], []) == (told.weaknesses, told.actions, told.next_experiments)
    assert ["kill: recovered 3.1 s after the fault",
            "lost_writes: all 5123 acknowledged writes are there"] == told.strengths


def test_figures_at_a_glance():
    score = Score(0.9199, "", 7, (), ())  # rounded down: only a whole one reads as 1.00
    told = dict(summarise(replace(WELL, availability=0.98765, score=score)).glance)
    assert {
        "Experiments held": "1 of 1", "Requests failed under fault": "12 of 400",
        "Longest recovery": "3.1 s", "Availability over the run": "98.77 %",
        "Resilience over 7 days": "0.91 of 1"} == told


def test_a_score_of_few_parts_says_how_few():
    """N17: the figure never stands alone."""
    score = Score(0.9, "", 7, (), (Part("a", 0.4, 0.9, ""), Part("b", 0.6, None, "")))
    told = dict(summarise(replace(WELL, score=score)).glance)
    assert "0.90 of 1, 40% of it measured" == told["Resilience over 7 days"]


@pytest.mark.parametrize(("told", "risk", "because", "review"), [
    (WELL, Level.LOW, "nothing that was checked asks for an action", "2027-02-19"),
    (with_finding("bank", BROKEN, "5 made"), Level.HIGH, "1 thing to do at once", "2026-11-28"),
    (with_finding("bank", UNKNOWN, "no data"), Level.MEDIUM, "1 thing to do within a month",
     "2026-12-21"),
    (replace(WELL, dirty=("kill",)), Level.HIGH, "1 thing to do at once", "2026-11-28"),
    (replace(WELL, trials=(KILL, Felt("slow", UNKNOWN, False))), Level.MEDIUM,
     "1 experiment not tried", "2026-12-21"),
])
def test_the_risk_is_that_of_the_most_urgent_thing_to_do(told, risk, because, review):
    summary = summarise(told)
    assert (risk, because, review) == (summary.risk, summary.risk_because, summary.review_on)


@pytest.mark.parametrize(("told", "confidence", "because"), [
    (WELL, Level.HIGH, "3 of 3 checks could be decided"),
    (replace(WELL, left_out=("slow", "lag")), Level.MEDIUM,
     "3 of 3 checks could be decided, 2 experiments left out"),
    (replace(WELL, trials=(replace(KILL, operations=None),)), Level.MEDIUM,
     "3 of 3 checks could be decided; what users felt was not measured"),
    (replace(WELL, findings=(), trials=(Felt("kill", UNKNOWN, False),)), Level.LOW,
     "0 of 0 checks could be decided, 1 experiment not tried"),
    (replace(WELL, findings=(), trials=()), Level.LOW, "0 of 0 checks could be decided"),
])
def test_confidence_is_the_share_that_could_be_decided(told, confidence, because):
    """N18: nothing checked gives no confidence."""
    summary = summarise(told)
    assert (confidence, because) == (summary.confidence, summary.confidence_because)


def test_actions_come_most_urgent_first_with_team_and_date():
    slow = Finding("recovery", BROKEN, "40 s", "kill", {"recovery_ms": 2, "bound_ms": 1})
    lost = Finding("lost_writes", BROKEN, "14 are lost")
    told = summarise(replace(WELL, findings=(slow, lost), dirty=("kill",)))
    assert [
        (Urgency.NOW, "platform-team", "2026-11-28"), (Urgency.NOW, "platform-team", "2026-11-28"),
        (Urgency.MONTH, "platform-team", "2026-12-21"),
    ] == [(a.urgency, a.team, a.due) for a in told.actions]
    assert told.actions[0].text.startswith("See what the fault of kill has left behind")


def test_residue_is_the_first_weakness():
    told = summarise(replace(WELL, dirty=("kill",)))
    assert "kill: it is not proven that nothing of its fault is left" == told.weaknesses[0]


def test_drift_is_a_weakness_and_something_to_look_into():
    told = summarise(replace(WELL, drift=("latency: the median has doubled",)))
    assert "latency: the median has doubled" in told.weaknesses
    assert ["See what has changed since the earlier runs"] == [a.text for a in told.actions]


def test_next_come_the_untried_the_undecided_and_those_left_out():
    told = summarise(replace(
        with_finding("fault", UNKNOWN, "no data", "lag"), left_out=("slow",), reason="an abort",
        trials=(KILL, Felt("late", UNKNOWN, False), Felt("lag", UNKNOWN, False))))
    assert [
        Next("late", "an abort"), Next("lag again", "no data"),
        Next("slow", "none: holdfast run shop --only slow"),
    ] == told.next_experiments


def test_an_untried_experiment_without_a_reason_needs_a_run_that_reaches_it():
    told = summarise(replace(WELL, trials=(Felt("late", UNKNOWN, False),)))
    assert [Next("late", "a run that comes as far as its round")] == told.next_experiments


def test_what_held_alike_is_said_once():
    more = Finding("recovery", HELD, "recovered 3.1 s after the fault", "lag")
    told = summarise(replace(WELL, findings=(*FINDINGS, more)))
    assert "kill, lag: recovered 3.1 s after the fault" == told.strengths[0]


def test_poor_parts_of_the_score_are_weaknesses_and_full_ones_strengths():
    parts = (Part("availability", 0.3, 0.4, "97 % were good"), Part("repair", 0.2, 1.0, "3 s"),
             Part("budget", 0.1, 0.7, "some left"), Part("between", 0.2, None, "not seen"))
    told = summarise(replace(WELL, score=Score(0.6, "", 7, (), parts)))
    assert ["availability over 7 days: 97 % were good"] == told.weaknesses
    assert "repair over 7 days: 3 s" == told.strengths[-1]


def test_broken_and_undecided_experiments_are_named():
    trials = (Felt("a", BROKEN, True), Felt("b", UNKNOWN, True))
    told = summarise(replace(WELL, trials=trials, findings=FINDINGS[:1]))
    assert told.paragraph.startswith("0 of 2 experiments held; broken: a; not decided: b. Overall")


def test_data_that_broke_is_in_the_paragraph():
    told = summarise(with_finding("bank", BROKEN, "5 were made"))
    assert "For the run as a whole: 5 were made." in told.paragraph


def test_faults_nobody_felt_are_told_so():
    told = summarise(replace(WELL, trials=(Felt("a", HELD, True, 400, 0, 0, 0),)))
    assert "Users felt none of the faults." in told.paragraph


def test_long_recoveries_read_as_minutes_and_need_no_bound():
    slow = Finding("recovery", HELD, "slow", "kill", {"recovery_ms": 180_000})
    told = summarise(replace(WELL, findings=(slow,)))
    assert "The longest recovery took 3.0 min (kill)." in told.paragraph


def test_a_postponed_run_tested_nothing():
    told = summarise(replace(WELL, postponed=True, reason="errors had no data"))
    assert ("The run was postponed before any fault: errors had no data. Nothing was tested."
            ) == told.paragraph


def test_of_many_strengths_those_are_told_that_say_most():
    """A night with 37 faults: of the whole run first, then what held most often."""
    many = tuple(
        Finding("recovery", HELD, f"recovered {n}.0 s after the fault", f"e{n}",
                {"recovery_ms": 1000 * n, "bound_ms": 30_000}) for n in range(20))
    twice = Finding("recovery", HELD, "recovered 19.0 s after the fault", "again")
    told = summarise(replace(WELL, findings=(*FINDINGS, *many, twice))).strengths
    assert MOST_STRENGTHS + 1 == len(told)
    assert told[0].startswith("lost_writes: ")
    assert told[1].startswith("e19, again: ")
    assert "and 10 more, in the sections below" == told[-1]
