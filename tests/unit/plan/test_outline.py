"""The shape of a suite, without a network (O1)."""

from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.model.fault import Effect
from holdfast.plan.outline import outline, worst_case
from holdfast.spec.load import load_suite
from support import suites
from support.kept import agrees

EXAMPLES = sorted((Path(__file__).parents[3] / "experiments").glob("*.suite.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.name.partition(".")[0])
def test_the_outline_of_each_example_is_the_one_that_was_agreed(file: Path):
    drawn = outline(load_suite(file).suite)
    lines = [drawn.suite] + [
        f"  round {number}: {e.name} {e.fault_type} {e.timeout.total_seconds():g}s"
        for number, step in enumerate(drawn.rounds) for e in step
    ]
    assert agrees(f"outlines/{drawn.suite}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(("effect", "seconds"), [
    pytest.param(Effect.HELD, 2 + 6 + 5 + 30, id="held"),
    pytest.param(Effect.ONE_SHOT, 2 + 6 + 5 + 90, id="waits-for-the-target's-own-repair"),
])
def test_the_worst_case_counts_delay_duration_lease_and_revert(effect, seconds):
    suite = suites.suite()
    beside = suite.rounds[0].experiments[1]
    assert timedelta(seconds=seconds) == worst_case(beside, suite.guard, effect)
