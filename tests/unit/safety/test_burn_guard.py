"""The guard's decision on burn rates, several conditions of one objective, and odd values (S4)."""

from math import inf

import pytest

from holdfast.model.lease import Reason
from holdfast.ports.metrics import Sample
from holdfast.safety.conditions import conditions
from holdfast.safety.guard import Memory, judge, usable
from holdfast.safety.meter import Policy
from support.guard import a_suite

QUERY = "errors[$window]"
BURN = "> 10x over 1h and 5m"


def watched(*stop_on, objective="< 1%"):
    indicator = {"prometheus": QUERY, "window": "10s"}
    suite = a_suite(objectives=[
        {"name": "errors", "indicator": indicator, "objective": objective}])
    experiment = suite.rounds[0].experiments[0]
    raw = experiment.model_dump(mode="json") | {"stop_on": {"errors": list(stop_on)}}
    return conditions(suite, type(experiment).model_validate(raw))


def decide(stops, values, *, steady=True, now=0.0, memory=None):
    """Judge values by window; None is no data."""
    samples = {f"errors[{w}]": Sample(v, now, "" if v is not None else "no series")
               for w, v in values.items()}
    return judge(stops, samples, memory or Memory(steady, {"errors": 0.0}), now, Policy(3.0))


def test_the_window_of_the_objective_and_those_of_the_burn_rate_are_asked():
    (only,) = watched(BURN)
    assert ("errors[10s]", "errors[3600s]", "errors[300s]") == only.questions


def test_a_budget_that_burns_in_both_windows_ends_the_fault():
    told = decide(watched(BURN), {"10s": 0.5, "3600s": 0.11, "300s": 0.4})
    assert Reason.BREACH is told.reason
    assert told.text == ("errors burnt its budget at 11x over 1h and 40x over 5m, "
                         "the guard stops on > 10x over 1h and 5m")
    assert told.reading == {"errors": 0.5, "errors burn 1h": pytest.approx(11.0),
                            "errors burn 5m": pytest.approx(40.0), "sampled_at": 0.0}


@pytest.mark.parametrize("values", [
    pytest.param({"10s": 0.5, "3600s": 0.09, "300s": 0.9}, id="not-enough-yet"),
    pytest.param({"10s": 0.0, "3600s": 0.5, "300s": 0.01}, id="over-already"),
])
def test_one_window_alone_ends_nothing(values):
    assert decide(watched(BURN), values).go


def test_a_budget_that_burns_before_the_fault_means_no_fault():
    told = decide(watched(BURN), {"10s": 0.0, "3600s": 0.2, "300s": 0.2}, steady=False)
    assert Reason.NOT_STEADY is told.reason
    assert told.text.endswith("the guard stops on > 10x over 1h and 5m, before the fault")


def test_an_objective_that_does_not_hold_outside_its_budget_means_no_fault_either():
    told = decide(watched(BURN), {"10s": 0.02, "3600s": 0.0, "300s": 0.0}, steady=False)
    assert told.text == "errors was 2% before the fault, objective < 1%"


@pytest.mark.parametrize("window", ["10s", "3600s", "300s"])
def test_a_window_without_data_is_missing_data(window):
    values = {"10s": 0.0, "3600s": 0.0, "300s": 0.0} | {window: None}
    told = decide(watched(BURN), values, now=3.5)
    assert Reason.NO_DATA is told.reason
    where = {"10s": "no series", "3600s": "over 1h: no series", "300s": "over 5m: no series"}
    assert told.text == f"no data for errors for 3.5 s: {where[window]}"


def test_a_burn_outranks_the_objectives_own_missing_value():
    assert Reason.BREACH is decide(
        watched(BURN), {"10s": None, "3600s": 0.5, "300s": 0.5}, now=9.0).reason


def test_of_several_conditions_the_first_that_is_true_ends_the_fault():
    both = watched("> 60% for 6s", BURN)
    calm = {"10s": 0.7, "3600s": 0.01, "300s": 0.5}
    first = decide(both, calm, now=1.0)
    assert first.go
    assert {"errors > 60% for 6s": 1.0} == first.memory.breach_since
    later = decide(both, calm, now=7.0, memory=first.memory)
    assert later.text == "errors was 70% for 6.0 s, the guard stops on > 60% for 6s"
    assert decide(both, calm | {"3600s": 0.2}, now=2.0).text.startswith("errors burnt its budget")


def test_what_two_conditions_lack_is_said_once():
    told = decide(watched("> 60%", "> 50% for 6s"), {"10s": None}, now=3.5,
                  memory=Memory(True, {"errors > 60%": 0.0, "errors > 50% for 6s": 0.0}))
    assert told.text == "no data for errors for 3.5 s: no series"


def test_good_requests_are_turned_into_bad_ones():
    stops = watched(BURN, objective=">= 99%")
    assert Reason.BREACH is decide(stops, {"10s": 1.0, "3600s": 0.85, "300s": 0.6}).reason
    assert decide(stops, {"10s": 1.0, "3600s": 0.99, "300s": 0.6}).go


def test_an_endless_burn_can_be_written_down():
    told = decide(watched(BURN), {"10s": inf, "3600s": inf, "300s": inf})
    assert ("inf", "inf") == (told.reading["errors"], told.reading["errors burn 1h"])


@pytest.mark.parametrize(("objective", "value", "kept"), [
    ("< 1%", inf, True), ("< 1%", -inf, False), (">= 99%", inf, False), (">= 99%", -inf, True),
    ("< 1%", 0.5, True),
])
def test_an_endless_value_on_the_good_side_says_nothing(objective, value, kept):
    (only,) = watched("> 60%" if objective[0] == "<" else "< 60%", objective=objective)
    found = usable(only.objective, Sample(value, 1.0))
    assert (value if kept else None) == found.value
    assert kept or found.why == "the value is endless"


def test_no_data_at_all_is_no_data():
    assert usable(watched("> 60%")[0].objective, Sample(None, 0.0, "gone")).why == "gone"
