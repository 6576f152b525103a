"""How far a fault that grew step by step came, and which step was the last safe one."""

from collections.abc import Collection, Sequence
from itertools import takewhile

from holdfast.model.rollout import chain
from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps.book import findings, write_finding
from holdfast.steps.judge import judged


def not_held(ports: Ports, run_id: str, experiment: Experiment) -> str:
    """Say that what had to hold before this experiment has not; or nothing."""
    if experiment.if_held is None:
        return ""
    verdict = judged(ports, run_id).get(experiment.if_held, Verdict.UNKNOWN)
    if verdict is Verdict.HELD:
        return ""
    return f"{experiment.name} begins only if {experiment.if_held} held: it is {verdict.name}"


def tell_rollouts(ports: Ports, run_id: str, suite: Suite) -> None:
    """Write a finding for each rollout: the step that ended it, and the last safe one."""
    by_name = {e.name: e for r in suite.rounds for e in r.experiments}
    verdicts = judged(ports, run_id)
    ran = {f.experiment for f in findings(ports, run_id) if f.name == "fault"}
    followed = {e.if_held for e in by_name.values()}
    for end in by_name.values():
        steps = chain(by_name, end)
        if end.name not in followed and len(steps) > 1 and steps[0].name in ran:
            held = list(takewhile(lambda e: verdicts[e.name] is Verdict.HELD, steps))
            decided = steps[min(len(held), len(steps) - 1)]
            write_finding(ports, run_id, Finding(
                "rollout", verdicts[decided.name], _text(steps, held, ran), decided.name,
                {"steps": len(steps), "safe": len(held)},
            ))


def _text(steps: Sequence[Experiment], held: Sequence[Experiment], ran: Collection[str]) -> str:
    safe = f"the last safe step is {_told(held[-1])}" if held else "no step was safe"
    if len(held) == len(steps):
        return f"all {len(steps)} steps held; {safe}"
    ended = steps[len(held)]
    how = "ended at" if ended.name in ran else "was ended before"
    return f"the rollout {how} {_told(ended)}, step {len(held) + 1} of {len(steps)}; {safe}"


def _told(experiment: Experiment) -> str:
    fault = experiment.fault
    params = "".join(f"{name}={value}, " for name, value in fault.params.items())
    return f"{experiment.name} ({params}on {fault.target})"
