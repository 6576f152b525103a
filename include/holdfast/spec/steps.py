"""Rollouts held to every rule, step by step, as if each step were written as an experiment."""

from holdfast.model.rollout import unroll
from holdfast.model.suite import Suite
from holdfast.spec import rules
from holdfast.spec.problems import Place, Problem
from holdfast.spec.rules import Known


def check(suite: Suite, known: Known) -> list[Problem]:
    """What is wrong with the steps of a suite that keeps every rule as it is written."""
    if all(e.rollout is None for r in suite.rounds for e in r.experiments):
        return []
    return [
        Problem(
            _written(suite, p.place) if p.place[:1] == ("rounds",) else p.place,
            p.text, p.hint, p.on_key,
        )
        for p in rules.check(unroll(suite), known)
    ]


def _written(suite: Suite, place: Place) -> Place:
    """Where the author wrote what stands at this place of the unrolled suite."""
    steps = [
        (number, index, rollout)
        for number, written in enumerate(suite.rounds)
        for rollout in [written.experiments[0].rollout]
        for index in range(len(rollout.steps) if rollout else 1)
    ]
    number, index, rollout = steps[place[1]]
    return ("rounds", number, *(_within(index, place[2:]) if rollout else place[2:]))


def _within(number: int, rest: Place) -> Place:
    """The step's own part of the experiment, where it has one; else the rollout's."""
    head, inside = rest[:2], rest[2:]
    step = ("rollout", "steps", number)
    if inside[:1] == ("fault",):
        return (*head, *step, *inside[1:])
    return (*head, *step) if inside == ("name",) else (*head, *inside)
