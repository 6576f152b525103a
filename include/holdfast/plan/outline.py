"""The shape of a suite, from the file alone: what the DAG file compiles, without a network."""

from dataclasses import dataclass
from datetime import timedelta

from holdfast.model.cascade import longest_wait
from holdfast.model.fault import Effect
from holdfast.model.suite import Experiment, GuardSpec, Suite

_REVERT = {
    Effect.HELD: timedelta(seconds=30),
    Effect.ONE_SHOT: timedelta(seconds=90),      # waits for the target's own repair first
    Effect.IRREVERSIBLE: timedelta(seconds=90),
}


@dataclass(frozen=True, slots=True)
class OutlineExperiment:
    """One experiment; `timeout` is the longest until it is clean: wait, fault, revert."""

    name: str
    fault_type: str
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Outline:
    """Rounds one after the other; the experiments of a round run side by side."""

    suite: str
    rounds: tuple[tuple[OutlineExperiment, ...], ...]


def worst_case(experiment: Experiment, guard: GuardSpec, effect: Effect) -> timedelta:
    """Bound the time from the first renewal to a clean target: delay, fault, lease, revert."""
    fault = experiment.fault
    return fault.delay + fault.duration + guard.lease + _REVERT[effect]


def outline(suite: Suite) -> Outline:
    """Draw the shape. It knows no drivers, so every fault gets the longest revert."""
    return Outline(
        suite.metadata.name,
        tuple(
            tuple(
                OutlineExperiment(
                    e.name, e.fault.type,
                    longest_wait(step, e) + worst_case(e, suite.guard, Effect.ONE_SHOT),
                )
                for e in step.experiments
            )
            for step in suite.rounds
        ),
    )
