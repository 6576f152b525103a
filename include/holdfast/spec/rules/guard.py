"""What the guard watches, and for how long."""

from collections.abc import Iterator
from datetime import timedelta

from holdfast.model.quantities import StopCondition, format_duration
from holdfast.model.suite import Suite
from holdfast.spec.problems import Problem, nearest
from holdfast.spec.rules._base import LONGEST, Known, experiments, outside, rule


@rule
def stop_on_names_an_objective(suite: Suite, _: Known) -> Iterator[Problem]:
    """What the guard tolerates is about an objective."""
    objectives = [o.name for o in suite.objectives]
    for place, experiment in experiments(suite):
        for name in experiment.stop_on:
            if name not in objectives:
                hint = nearest(name, objectives)
                yield Problem(
                    (*place, "stop_on", name), f"unknown objective '{name}'", hint, on_key=True
                )


@rule
def stop_on_is_against_the_objective(suite: Suite, _: Known) -> Iterator[Problem]:
    """A stop condition looks the other way than its objective, in the same unit."""
    objectives = {o.name: o.objective for o in suite.objectives}
    for place, experiment in experiments(suite):
        for name, stop in experiment.stop_on.items():
            objective = objectives.get(name)
            if objective is None:
                continue
            here = (*place, "stop_on", name)
            if stop.bound.op[0] == objective.op[0]:
                turned = ">" if objective.op[0] == "<" else "<"
                yield Problem(here, f"'{stop}' would stop while {name} holds ({objective})",
                              f"a stop condition says when to stop: begin it with {turned}")
            elif _measure(stop) != _measure(StopCondition(bound=objective)):
                yield Problem(here, f"'{stop}' and the objective '{objective}' differ in unit")
            elif "%" in (stop.bound.unit, objective.unit) and not 0 <= stop.bound.value <= 1:
                yield Problem(here, f"'{stop}' is no ratio, as the objective '{objective}' is",
                              "a ratio is between 0 and 1, or 0% and 100%")


def _measure(stop: StopCondition) -> str:
    return {"ms": "time", "s": "time", "%": "ratio"}.get(stop.bound.unit, "ratio")


@rule
def durations_are_sane(suite: Suite, _: Known) -> Iterator[Problem]:
    """A fault has an end within reach, and so has the wait for recovery."""
    moment = timedelta(milliseconds=1)
    for place, experiment in experiments(suite):
        fault, allowed = experiment.fault, experiment.expect.recovery_within
        yield from outside((*place, "fault", "duration"), fault.duration, moment, LONGEST)
        yield from outside((*place, "fault", "delay"), fault.delay, timedelta(0), LONGEST)
        if allowed is not None:
            yield from outside((*place, "expect", "recovery_within"), allowed, moment, LONGEST)
        for name, stop in experiment.stop_on.items():
            yield from outside((*place, "stop_on", name), stop.hold, timedelta(0), LONGEST)


@rule
def baseline_is_sane(suite: Suite, _: Known) -> Iterator[Problem]:
    """The baseline is long enough to say something and short enough to end."""
    low, high = timedelta(seconds=2), timedelta(minutes=10)
    yield from outside(("baseline", "window"), suite.baseline.window, low, high)


@rule
def guard_is_quick_enough(suite: Suite, _: Known) -> Iterator[Problem]:
    """A lease lasts several polls, so that one that is late does not end the fault."""
    guard, second = suite.guard, timedelta(seconds=1)
    yield from outside(("guard", "lease"), guard.lease, 2 * second, 60 * second)
    yield from outside(("guard", "poll"), guard.poll, second / 10, 10 * second)
    yield from outside(("guard", "grace"), guard.grace, second / 2, 60 * second)
    if guard.poll >= guard.lease / 3:
        yield Problem(
            ("guard", "poll"), f"'poll' is {format_duration(guard.poll)}",
            f"less than a third of the lease, which is {format_duration(guard.lease)}",
        )
