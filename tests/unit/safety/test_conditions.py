"""What a guard watches follows from the suite."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.quantities import Bound, StopCondition
from holdfast.safety.conditions import Watch, watch_of
from support.guard import a_suite, a_watch, conditions

OPS = ("<", "<=", ">", ">=")


@given(st.sampled_from(OPS), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_bound_or_its_negation_holds_and_never_both(op, bound, value):
    one = Bound(op=op, value=bound)
    assert one.holds(value) != one.opposite.holds(value)


def test_an_objective_ends_the_fault_as_soon_as_it_is_not_met():
    latency = conditions()[0]
    assert StopCondition(bound=Bound(op=">=", value=0.5, unit="ms")) == latency.stop
    assert not latency.tolerated


def test_stop_on_takes_the_place_of_the_objectives_bound():
    errors = conditions()[1]
    assert str(errors.stop) == "> 60% for 6s"
    assert str(errors.objective) == "< 1%"
    assert errors.tolerated


def test_the_task_survives_the_journey_as_json():
    assert a_watch() == Watch.model_validate_json(a_watch().model_dump_json())


@pytest.mark.parametrize(("policy", "holds"), [("abort", False), ("hold", True)])
def test_the_suite_says_what_missing_data_means(policy, holds):
    suite = a_suite(guard={"poll": "250ms", "lease": "4s", "grace": "2s", "on_no_data": policy})
    watch = watch_of(suite, suite.rounds[0].experiments[0], "x")
    assert (0.25, 4.0, 2.0, holds) == (
        watch.poll, watch.lease, watch.grace, watch.hold_without_data)


def test_the_guard_knows_whom_the_fault_follows():
    suite = a_suite()
    experiment = suite.rounds[0].experiments[0]
    follows = experiment.fault.model_copy(update={"after": "first"})
    assert ("", "first") == tuple(
        watch_of(suite, experiment.model_copy(update={"fault": fault}), "x").after
        for fault in (experiment.fault, follows))
