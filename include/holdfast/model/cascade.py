"""Faults of one round that follow each other."""

from datetime import timedelta

from holdfast.model.lease import INJECT_SECONDS
from holdfast.model.suite import Experiment, Round

APART = timedelta(seconds=30)
"""How far apart the guards of one round may begin: a task of its own starts each."""


def followed(step: Round, experiment: Experiment) -> tuple[Experiment, ...]:
    """The experiment that it follows, the one that this one follows, and so on.

    In a circle it comes to itself at last.
    """
    by_name = {e.name: e for e in step.experiments}
    found: list[Experiment] = []
    following = by_name.get(experiment.fault.after or "")
    while following is not None and following not in found:
        found.append(following)
        following = by_name.get(following.fault.after or "")
    return tuple(found)


def longest_wait(step: Round, experiment: Experiment) -> timedelta:
    """Bound the time for which its keeper stays armed until the faults that it follows are on.

    Nothing for one that follows none. Each on the way may take its delay and an injection.
    """
    injected = timedelta(seconds=INJECT_SECONDS)
    on_the_way = [e.fault.delay + injected for e in followed(step, experiment)]
    return sum(on_the_way, APART) if on_the_way else timedelta(0)
