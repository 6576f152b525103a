"""The guard's decision, on single sets of samples and over whole histories."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.lease import Reason
from holdfast.ports.metrics import Sample
from holdfast.safety.guard import Memory, judge
from holdfast.safety.meter import Policy
from support.guard import conditions

POLICY = Policy(grace=3.0)
FRESH = Memory(steady=False, data_at={"latency-p95": 0.0, "errors": 0.0})
STEADY = replace(FRESH, steady=True)
HELD_FOR = 6.0


def samples(p95=0.2, errors=0.0, at=0.0):
    return {"p95": Sample(p95, at, "" if p95 is not None else "no series"),
            "errors": Sample(errors, at, "" if errors is not None else "no series")}


def decide(memory=STEADY, now=0.0, policy=POLICY, **values):
    return judge(conditions(), samples(**values, at=now), memory, now, policy)


def test_go_when_every_objective_holds():
    decision = decide(FRESH)
    assert decision.go
    assert decision.reading == {"latency-p95": 0.2, "errors": 0.0}


def test_an_objective_that_does_not_hold_before_the_fault_means_no_fault():
    decision = decide(FRESH, errors=0.02)
    assert Reason.NOT_STEADY is decision.reason
    assert decision.text == "errors was 2% before the fault, objective < 1%"


def test_a_stop_condition_that_is_true_before_the_fault_means_no_fault():
    since = replace(FRESH, breach_since={"errors": 0.0})
    tolerant = conditions()[1].model_copy(update={"objective": conditions()[1].stop.bound})
    decision = judge([tolerant], samples(errors=0.7, at=7.0), since, 7.0, POLICY)
    assert Reason.NOT_STEADY is decision.reason


def test_without_all_data_the_first_go_waits():
    decision = decide(FRESH, p95=None)
    assert (decision.go, decision.reason) == (False, None)


def test_a_breach_ends_the_fault_at_once_and_says_what_was_seen():
    decision = decide(p95=1.93, now=4.0)
    assert Reason.BREACH is decision.reason
    assert decision.text == "latency-p95 was 1930ms, objective < 500ms"
    assert decision.reading == {"latency-p95": 1.93, "errors": 0.0, "sampled_at": 4.0}


def test_a_tolerated_breach_goes_on_until_it_has_lasted():
    first = decide(errors=0.7, now=10.0)
    assert first.go
    assert first.memory.breach_since == {"errors": 10.0}
    last = decide(first.memory, errors=0.73, now=16.0)
    assert last.text == "errors was 73% for 6.0 s, the guard stops on > 60% for 6s"


def test_a_restarted_guard_goes_on_with_the_memory_of_the_lease_row():
    restarted = Memory(steady=True, data_at={}, breach_since={"errors": 10.0})
    assert Reason.BREACH is decide(restarted, errors=0.7, now=16.0).reason


def test_a_value_that_recovers_resets_the_time_of_the_breach():
    memory = decide(errors=0.7, now=0.0).memory
    assert decide(memory, errors=0.5, now=1.0).memory.breach_since == {}


def test_a_gap_in_the_data_does_not_reset_the_time_of_the_breach():
    memory = decide(decide(errors=0.7, now=0.0).memory, errors=None, now=2.0).memory
    assert Reason.BREACH is decide(memory, errors=0.7, now=6.0).reason


def test_missing_data_is_endured_for_the_grace_and_no_longer():
    assert decide(p95=None, now=3.0).go
    decision = decide(p95=None, now=3.1)
    assert Reason.NO_DATA is decision.reason
    assert decision.text == "no data for latency-p95 for 3.1 s: no series"


def test_a_query_that_nobody_asked_is_no_data():
    decision = judge(conditions(), {}, STEADY, 9.0, POLICY)
    assert decision.text.split("; ")[0] == "no data for latency-p95 for 9.0 s: not asked"


def test_data_that_come_back_begin_the_grace_anew():
    memory = decide(now=2.9).memory
    assert decide(memory, p95=None, now=5.8).go


def test_a_suite_may_hold_a_fault_without_data_but_not_begin_one():
    policy = Policy(grace=3.0, hold_without_data=True)
    assert decide(STEADY, p95=None, now=9.0, policy=policy).go
    assert Reason.NO_DATA is decide(FRESH, p95=None, now=9.0, policy=policy).reason


def test_a_breach_outranks_missing_data():
    assert Reason.BREACH is decide(p95=0.9, errors=None, now=9.0).reason


def test_an_endless_value_is_a_breach_that_can_be_written_down():
    assert decide(p95=float("inf")).reading["latency-p95"] == "inf"


STEPS = st.floats(0.05, 2.0)
ERRORS = st.sampled_from([0.0, 0.5, 0.61, 0.9, None])
HISTORY = st.lists(st.tuples(STEPS, ERRORS), min_size=1, max_size=40)


def play(history, restart_at=None):
    """Feed a history of (seconds since the last, errors); the end's number and reason, if any."""
    memory, now = STEADY, 0.0
    for number, (step, errors) in enumerate(history):
        now += step
        if number == restart_at:
            data_at = {"latency-p95": now, "errors": memory.data_at["errors"]}
            memory = Memory(steady=True, data_at=data_at, breach_since=memory.breach_since)
        decision = decide(memory, now, errors=errors)
        if decision.reason:
            return number, decision.reason
        memory = decision.memory
    return None


@given(HISTORY)
def test_a_breach_that_lasts_its_time_always_trips(history):
    now, began, last_seen = 0.0, None, 0.0
    expected = None
    for number, (step, errors) in enumerate(history):
        now += step
        if errors is not None:
            last_seen = now
            began = None if errors <= 0.6 else (now if began is None else began)
            if began is not None and now - began >= HELD_FOR:
                expected = (number, Reason.BREACH)
                break
        if now - last_seen > POLICY.grace:
            expected = (number, Reason.NO_DATA)
            break
    assert expected == play(history)


@given(HISTORY, st.integers(0, 39))
def test_a_restart_with_the_memory_changes_no_decision(history, restart_at):
    assert play(history) == play(history, restart_at)


@given(HISTORY)
def test_a_go_never_comes_with_a_reason(history):
    decision = decide(errors=history[0][1], now=history[0][0])
    assert decision.go != (decision.reason is not None)
