"""What ends a fault early, for people."""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from holdfast.model.burn import outage
from holdfast.model.quantities import BurnCondition, Stop, brief
from holdfast.model.suite import Experiment, Objective, Suite


def stops(suite: Suite, experiment: Experiment) -> tuple[str, ...]:
    """Each stop condition; of a burn rate also how long nothing but errors must last."""
    return tuple(
        told for objective in suite.objectives
        for told in _told(objective, experiment.stop_on.get(objective.name, ()))
    )


def _told(objective: Objective, stop_on: tuple[Stop, ...]) -> Iterator[str]:
    if not stop_on:
        yield f"{objective.name} {objective.objective.opposite}"
    for stop in stop_on:
        text = f"{objective.name} {stop}"
        if isinstance(stop, BurnCondition):
            needed = timedelta(seconds=ceil(outage(stop, objective.objective).total_seconds()))
            text += f" ({brief(needed)} of nothing but errors, at least)"
        yield text
