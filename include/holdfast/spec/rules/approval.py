"""Who must agree before something is broken."""

from collections.abc import Iterator
from datetime import timedelta

from holdfast.model.fault import Effect
from holdfast.model.suite import Suite
from holdfast.spec.problems import Place, Problem
from holdfast.spec.rules._base import Known, experiments, outside, rule, rule_of_whole

_SHORTEST, _LONGEST_WAIT = timedelta(seconds=10), timedelta(days=7)


@rule_of_whole
def what_cannot_be_undone_is_approved(suite: Suite, known: Known) -> Iterator[Problem]:
    """A suite with an irreversible fault says who is asked about it."""
    if suite.approval is not None:
        return
    for place, experiment in experiments(suite):
        kind = experiment.fault.type
        if kind in known.drivers and known.drivers[kind].effect is Effect.IRREVERSIBLE:
            yield Problem(
                (*place, "fault", "type"),
                f"what {kind} breaks cannot be undone, and nobody is asked",
                "add approval: {}, with by: [...] to say who may approve",
            )


@rule
def an_answer_can_come_in_time(suite: Suite, _: Known) -> Iterator[Problem]:
    """A request waits for as long as a person needs, and no approval counts for ever."""
    spec = suite.approval
    if spec is None:
        return
    place: Place = ("approval",)
    yield from outside((*place, "wait"), spec.wait, _SHORTEST, _LONGEST_WAIT)
    yield from outside((*place, "valid_for"), spec.valid_for, _SHORTEST, _LONGEST_WAIT)


@rule
def nobody_may_approve_twice(suite: Suite, _: Known) -> Iterator[Problem]:
    """Each name is there once, as a person's name is written in Airflow."""
    seen: set[str] = set()
    for index, written in enumerate(suite.approval.by if suite.approval else ()):
        name = written.strip().casefold()
        if name in seen:
            yield Problem(("approval", "by", index), f"'{name}' is there twice", "take one out")
        seen.add(name)
