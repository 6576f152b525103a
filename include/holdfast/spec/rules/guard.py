"""What the guard watches, and for how long."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from holdfast.model.burn import allowed
from holdfast.model.indicator import WINDOW
from holdfast.model.quantities import Bound, BurnCondition, Stop, format_duration
from holdfast.model.suite import Objective, Suite
from holdfast.spec.problems import Place, Problem, nearest
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


def _stops(suite: Suite) -> Iterator[tuple[Place, Objective, Stop]]:
    objectives = {o.name: o for o in suite.objectives}
    for place, experiment in experiments(suite):
        for name, stops in experiment.stop_on.items():
            for index, stop in enumerate(stops if name in objectives else ()):
                here = (*place, "stop_on", name) if len(stops) == 1 else (
                    *place, "stop_on", name, index)
                yield here, objectives[name], stop


@rule
def stop_on_is_against_the_objective(suite: Suite, _: Known) -> Iterator[Problem]:
    """A stop condition looks the other way than its objective, in the same unit."""
    for here, objective, stop in _stops(suite):
        if isinstance(stop, BurnCondition):
            continue
        bound = objective.objective
        if stop.bound.op[0] == bound.op[0]:
            turned = ">" if bound.op[0] == "<" else "<"
            yield Problem(here, f"'{stop}' would stop while {objective.name} holds ({bound})",
                          f"a stop condition says when to stop: begin it with {turned}")
        elif _measure(stop.bound) != _measure(bound):
            yield Problem(here, f"'{stop}' and the objective '{bound}' differ in unit")
        elif "%" in (stop.bound.unit, bound.unit) and not 0 <= stop.bound.value <= 1:
            yield Problem(here, f"'{stop}' is no ratio, as the objective '{bound}' is",
                          "a ratio is between 0 and 1, or 0% and 100%")


def _measure(bound: Bound) -> str:
    return {"ms": "time", "s": "time", "%": "ratio"}.get(bound.unit, "ratio")


@rule
def burn_rate_can_be_reckoned(suite: Suite, _: Known) -> Iterator[Problem]:
    """There is a share of errors, an objective that allows some of them, and windows to see it."""
    for here, objective, stop in _stops(suite):
        if not isinstance(stop, BurnCondition):
            continue
        bound, query = objective.objective, objective.indicator.prometheus or ""
        if bound.unit != "%" or not 0.0 < allowed(bound) < 1.0:
            yield Problem(here, f"{objective.name} ({bound}) has no error budget to burn",
                          "a burn rate needs an objective such as '< 1%' errors or '>= 99%' good")
        elif WINDOW not in query:
            yield Problem(here, f"the indicator of {objective.name} has no {WINDOW}",
                          f"a share of errors with rate(...[{WINDOW}]), and window: 1m beside it")
        elif stop.factor <= 0 or stop.factor * allowed(bound) >= 1.0:
            yield Problem(here, f"{stop.factor:g} times what '{bound}' allows is never passed",
                          f"between 0x and {1.0 / allowed(bound):.3g}x")
        yield from _windows(here, stop)


def _windows(here: Place, stop: BurnCondition) -> Iterator[Problem]:
    if stop.short >= stop.long:
        yield Problem(here, f"the second window of '{stop}' is not the shorter one",
                      "such as over 1h and 5m")
    for window in stop.windows:
        for problem in outside(here, window, timedelta(seconds=1), timedelta(days=3)):
            yield replace(problem, text=f"a window of '{stop}' is {format_duration(window)}")


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
    for here, _objective, stop in _stops(suite):
        if not isinstance(stop, BurnCondition):
            for problem in outside(here, stop.hold, timedelta(0), LONGEST):
                yield replace(problem, text=f"'{stop}' waits {format_duration(stop.hold)}")


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
    if guard.max_age is not None:
        yield from outside(("guard", "max_age"), guard.max_age, second / 2, 300 * second)
    if guard.poll >= guard.lease / 3:
        yield Problem(
            ("guard", "poll"), f"'poll' is {format_duration(guard.poll)}",
            f"less than a third of the lease, which is {format_duration(guard.lease)}",
        )
