"""Faults that grow step by step, and experiments that wait for others to hold."""

from collections.abc import Iterator

from holdfast.model.suite import Suite
from holdfast.spec.problems import Problem, nearest
from holdfast.spec.rules._base import Known, experiments, rule, rule_of_whole


@rule
def what_may_be_left_out_is_alone(suite: Suite, _: Known) -> Iterator[Problem]:
    """A round whose beginning hangs on another has nothing beside it."""
    for place, experiment in experiments(suite):
        if len(suite.rounds[place[1]].experiments) == 1:
            continue
        words = {"rollout": experiment.rollout, "if_held": experiment.if_held}
        for word in [word for word, value in words.items() if value is not None]:
            yield Problem((*place, word), f"an experiment with '{word}' is alone in its round",
                          "move the others to another round", on_key=True)


@rule
def if_held_names_an_earlier_round(suite: Suite, _: Known) -> Iterator[Problem]:
    """What must hold before has been tried by then."""
    for place, experiment in experiments(suite):
        if experiment.if_held is None:
            continue
        before = [e.name for r in suite.rounds[:place[1]] for e in r.experiments]
        if experiment.if_held not in before:
            yield Problem(
                (*place, "if_held"), f"no experiment '{experiment.if_held}' in an earlier round",
                nearest(experiment.if_held, before) or "there is no earlier round",
            )


@rule_of_whole
def each_step_differs(suite: Suite, _: Known) -> Iterator[Problem]:
    """No two steps of a rollout are the same."""
    for place, experiment in experiments(suite):
        seen = list[object]()
        for number, step in enumerate(experiment.rollout.steps if experiment.rollout else ()):
            if step in seen:
                yield Problem((*place, "rollout", "steps", number),
                              f"step {number + 1} is the same as step {seen.index(step) + 1}",
                              "each step hits harder than the one before")
            seen.append(step)
