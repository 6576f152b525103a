"""A fault in steps, the gentlest first (S8)."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.rollout import chain, step_name, unroll
from holdfast.model.suite import Experiment, Rollout, Round, Step
from support import suites

WHOLE = suites.suite()
ONE = WHOLE.rounds[1].experiments[0]


def named(name: str, steps: int = 0, **changes: object) -> Round:
    rollout = Rollout(steps=tuple(Step(params={"n": n}) for n in range(steps))) if steps else None
    one = ONE.model_copy(update={"name": name, "rollout": rollout, **changes})
    return Round(experiments=(one,))


def unrolled(*rounds: Round) -> list[Experiment]:
    whole = unroll(WHOLE.model_copy(update={"rounds": rounds}))
    return [e for r in whole.rounds for e in r.experiments]


def test_a_suite_without_rollouts_stays_as_it_is():
    assert WHOLE == unroll(WHOLE)


def test_each_step_is_an_experiment_that_waits_for_the_one_before():
    found = unrolled(named("a"), named("b", 2, if_held="a"), named("c", if_held="b"))
    assert [("a", None), ("b-1", "a"), ("b-2", "b-1"), ("c", "b-2")] == [
        (e.name, e.if_held) for e in found]


def test_a_rollout_that_waits_for_a_rollout_waits_for_its_last_step():
    found = unrolled(named("a", 3), named("b", 1, if_held="a"))
    assert ("b-1", "a-3") == (found[-1].name, found[-1].if_held)


def test_a_step_says_only_what_differs():
    steps = (Step(params={"latency": "50ms"}), Step(target="link"))
    fault = ONE.fault.model_copy(update={"params": {"latency": "1s", "jitter": "1ms"}})
    one = ONE.model_copy(update={"fault": fault, "rollout": Rollout(steps=steps)})
    first, second = (e.fault for e in unrolled(Round(experiments=(one,))))
    assert ("api", {"latency": "50ms", "jitter": "1ms"}) == (first.target, first.params)
    assert ("link", {"latency": "1s", "jitter": "1ms"}) == (second.target, second.params)


def test_a_chain_is_those_before_it_first():
    found = {e.name: e for e in unrolled(named("a", 3), named("z"))}
    assert ["a-1", "a-2", "a-3"] == [e.name for e in chain(found, found["a-3"])]
    assert ["z"] == [e.name for e in chain(found, found["z"])]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_unrolling_keeps_order_and_count_and_leaves_nothing_to_unroll(many):
    rounds = [named(f"e{n}", steps) for n, steps in enumerate(many)]
    names = [
        name for n, steps in enumerate(many)
        for name in ([step_name(f"e{n}", s + 1) for s in range(steps)] or [f"e{n}"])
    ]
    assert names == [e.name for e in unrolled(*rounds)]
    assert all(e.rollout is None for e in unrolled(*rounds))
