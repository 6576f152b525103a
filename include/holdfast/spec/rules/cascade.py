"""Faults that follow others."""

from collections.abc import Iterator
from datetime import timedelta

from holdfast.model.cascade import followed, longest_wait
from holdfast.model.lease import ARMED_SECONDS
from holdfast.model.quantities import format_duration
from holdfast.model.suite import Experiment, Round, Suite
from holdfast.spec.problems import Place, Problem, nearest
from holdfast.spec.rules._base import Known, rule


@rule
def after_names_an_experiment_beside(suite: Suite, _: Known) -> Iterator[Problem]:
    """A fault follows one of the same round."""
    for place, step, experiment in _following(suite):
        beside = [e.name for e in step.experiments if e is not experiment]
        after = experiment.fault.after
        if after in beside:
            continue
        elsewhere = any(after == e.name for r in suite.rounds for e in r.experiments)
        hint = "both must be in one round" if elsewhere else nearest(after, beside)
        yield Problem(place, f"no experiment '{after}' beside this one in its round",
                      hint or "it is alone in its round")


@rule
def faults_follow_no_circle(suite: Suite, _: Known) -> Iterator[Problem]:
    """Some fault is the first."""
    for place, step, experiment in _following(suite):
        chain = [e.name for e in followed(step, experiment)]
        if experiment.name in chain[1:]:
            circle = " after ".join([experiment.name, *chain])
            yield Problem(place, f"faults follow each other in a circle: {circle}",
                          "leave one 'after' out")


@rule
def a_keeper_can_wait_that_long(suite: Suite, _: Known) -> Iterator[Problem]:
    """A keeper stays armed for a while only."""
    limit = timedelta(seconds=ARMED_SECONDS)
    for place, step, experiment in _following(suite):
        wait = longest_wait(step, experiment)
        if wait > limit:
            yield Problem(
                place, f"its turn may take {format_duration(wait)} to come",
                f"at most {format_duration(limit)}: shorten the delays or the chain",
            )


def _following(suite: Suite) -> Iterator[tuple[Place, Round, Experiment]]:
    for number, step in enumerate(suite.rounds):
        for index, experiment in enumerate(step.experiments):
            if experiment.fault.after is not None:
                yield ("rounds", number, "experiments", index, "fault", "after"), step, experiment
