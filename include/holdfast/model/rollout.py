"""A fault in small steps: each becomes an experiment in a round of its own, after the one before.

A suite is unrolled when it is read; nothing else knows of steps.
"""

from collections.abc import Mapping, Sequence

from holdfast.model.suite import Experiment, Round, Step, Suite


def unroll(suite: Suite) -> Suite:
    """Put each step of a rollout in its own round; who waits for a rollout waits for its last."""
    last = {
        e.name: step_name(e.name, len(e.rollout.steps))
        for r in suite.rounds for e in r.experiments if e.rollout is not None
    }
    rounds = tuple(one for r in suite.rounds for one in _unrolled(r, last))
    return suite.model_copy(update={"rounds": rounds})


def step_name(experiment: str, number: int) -> str:
    """The name of a step, from 1."""
    return f"{experiment}-{number}"


def chain(experiments: Mapping[str, Experiment], end: Experiment) -> Sequence[Experiment]:
    """Those that had to hold before this one may begin, the first of them first, and itself."""
    found = [end]
    while (before := experiments.get(found[0].if_held or "")) is not None:
        found.insert(0, before)
    return found


def _unrolled(step: Round, last: Mapping[str, str]) -> Sequence[Round]:
    first = step.experiments[0]
    if first.rollout is not None:
        own = [_experiment(first, s, n, last) for n, s in enumerate(first.rollout.steps, 1)]
        return [Round(experiments=(e,)) for e in own]
    renamed = tuple(
        e.model_copy(update={"if_held": last.get(e.if_held or "", e.if_held)})
        for e in step.experiments
    )
    return [step.model_copy(update={"experiments": renamed})]


def _experiment(
    whole: Experiment, step: Step, number: int, last: Mapping[str, str]
) -> Experiment:
    fault = whole.fault
    before = last.get(whole.if_held or "", whole.if_held)
    return whole.model_copy(update={
        "name": step_name(whole.name, number),
        "rollout": None,
        "if_held": step_name(whole.name, number - 1) if number > 1 else before,
        "fault": fault.model_copy(update={
            "target": step.target or fault.target, "params": {**fault.params, **step.params},
        }),
    })
