"""K4: what a finding means for a reader follows from the finding."""

import pytest

from holdfast.model.summary import Action, Next, Urgency
from holdfast.model.verdict import Finding, Verdict
from holdfast.score.matters import action, place, strength, to_try, weakness

HELD, UNKNOWN, BROKEN = Verdict


def recovery(took, bound=10_000, verdict=HELD):
    measured = {"recovery_ms": took, "bound_ms": bound}
    return Finding("recovery", verdict, "recovered", "kill", measured)


def mechanism(state, verdict, risk="high"):
    told = {"mechanism": "retry", "state": state, "risk": risk}
    return Finding("payment-retry", verdict, "two attempts", "kill", told)


@pytest.mark.parametrize(("finding", "named"), [
    (Finding("recovery", HELD, "x", "kill"), "kill"),
    (Finding("app_recovered", HELD, "x", "kill"), "kill (app_recovered)"),
    (Finding("lost_writes", HELD, "x"), "lost_writes"),
    (mechanism("WORKING", HELD), "mechanism payment-retry WORKING in kill"),
    (Finding("m", HELD, "x", "", {"mechanism": "retry"}), "mechanism m"),
    (Finding("m", HELD, "m is WORKING", "kill", {"mechanism": "retry"}), "kill"),
])
def test_a_place_names_experiment_and_check(finding, named):
    assert named == place(finding)


@pytest.mark.parametrize(("finding", "text"), [
    (recovery(1000), "recovered"),
    (recovery(7999), "recovered"),
    (recovery(8000), ""),
    (Finding("fault", HELD, "ran its 8 s under guard", "kill"), ""),
    (Finding("recovery_point", HELD, "0 lost", "kill"), ""),
    (Finding("app_recovered", HELD, "8 requests answered", "kill"), ""),
    (mechanism("WORKING", HELD), "two attempts"),
    (Finding("lost_writes", HELD, "all are there"), "all are there"),
    (Finding("lost_writes", UNKNOWN, "no history"), ""),
    (Finding("fault", BROKEN, "breach", "kill", {"guard_ms": 38.4, "keeper_ms": 122}),
     "the revert began 160 ms after the guard had seen the breach"),
    (Finding("fault", BROKEN, "breach", "kill", {"guard_ms": 38.4}), ""),
])
def test_strengths(finding, text):
    assert text == strength(finding)


def test_a_recovery_near_its_bound_is_a_weakness_though_it_held():
    assert "kill: recovered; that is 94 % of what is allowed" == weakness(recovery(9400))


@pytest.mark.parametrize(("finding", "urgency", "text"), [
    (recovery(9400), Urgency.MONTH, "Give kill more room to recover"),
    (recovery(20_000, verdict=BROKEN), Urgency.MONTH, "Shorten the recovery from kill"),
    (Finding("recovery", BROKEN, "still failing", "kill"), Urgency.NOW,
     "See why kill does not recover, before it happens by itself"),
    (Finding("fault", BROKEN, "breach", "kill"), Urgency.NOW,
     "Make kill hold its objectives while the fault is on"),
    (Finding("recovery_point", BROKEN, "3 lost", "kill"), Urgency.NOW,
     "Close the gap through which kill loses acknowledged writes"),
    (Finding("app_recovered", BROKEN, "pid is gone", "kill"), Urgency.NOW,
     "See why app_recovered fails after kill"),
    (Finding("bank", BROKEN, "5 made"), Urgency.NOW, "Find and repair what bank shows"),
    (Finding("recovery", BROKEN, "late", "", {"recovery_ms": 2, "bound_ms": 1}), Urgency.MONTH,
     "Shorten the recovery from the target"),
    (Finding("fault", UNKNOWN, "no data", "kill"), Urgency.MONTH,
     "Find out what kept this from being decided, and run it again"),
    (mechanism("BROKEN", BROKEN), Urgency.NOW, "Repair the mechanism payment-retry"),
    (mechanism("PARTIAL", BROKEN, "medium"), Urgency.MONTH,
     "Complete the mechanism payment-retry"),
    (mechanism("NOT VALIDATED", UNKNOWN), Urgency.MONTH,
     "See the mechanism payment-retry at work"),
])
def test_what_is_to_be_done_and_when(finding, urgency, text):
    assert Action(urgency, text, weakness(finding)) == action(finding)


@pytest.mark.parametrize("finding", [recovery(100), mechanism("WORKING", HELD, "low")])
def test_what_is_well_asks_for_nothing(finding):
    assert (None, None, "") == (action(finding), to_try(finding), weakness(finding))


@pytest.mark.parametrize(("finding", "then"), [
    (Finding("fault", UNKNOWN, "no data", "kill"), Next("kill again", "no data")),
    (mechanism("NOT VALIDATED", UNKNOWN),
     Next("a fault that makes the mechanism payment-retry act", "two attempts")),
    (Finding("bank", UNKNOWN, "no snapshot"), None),
    (Finding("fault", BROKEN, "breach", "kill"), None),
])
def test_what_could_not_be_decided_is_tried_next(finding, then):
    assert then == to_try(finding)
