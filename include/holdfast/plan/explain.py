"""A plan for people: as text and as a Mermaid flow chart."""

from datetime import timedelta
from itertools import groupby

from holdfast.model.fault import Target
from holdfast.plan.plan import Plan, PlannedExperiment, canonical


def text(plan: Plan) -> str:
    """Tell what would be hit, for how long at worst, and how it would be undone."""
    count = len(plan.experiments)
    lines = [
        f"{plan.suite} on {plan.environment}: {count} experiment{'' if count == 1 else 's'}, "
        f"at most {_time(plan.worst_case)}",
        f"digest {plan.digest}",
    ]
    lines += ["", "objectives under guard", *(f"  {told}" for told in plan.objectives)]
    if plan.workloads:
        lines += ["", "workloads, from before the baseline until the data is checked"]
        lines += [f"  {workload.name}: {workload}" for workload in plan.workloads]
    for number, experiments in groupby(plan.experiments, key=lambda e: e.round):
        lines += ["", f"round {number + 1}"]
        for experiment in experiments:
            lines += _told(experiment)
            if experiment.worst_cost is not None:
                lines += [f"    costs  {experiment.worst_cost:f} {plan.currency} at worst"]
    lines += ["", "blast radius, largest of any round"]
    lines += [f"  {service}: {share:.0%}" for service, share in sorted(plan.blast_radius.items())]
    return "\n".join(lines)


def mermaid(plan: Plan) -> str:
    """Draw the rounds; experiments of one round stand side by side."""
    lines = ["flowchart LR", "  baseline([baseline])"]
    before = "baseline"
    for number, experiments in groupby(plan.experiments, key=lambda e: e.round):
        steady = f"steady{number + 1}"
        lines += [f"  {before} --> {steady}{{{{round {number + 1}: steady}}}}"]
        before = f"recovered{number + 1}"
        for experiment in experiments:
            lines += [f"  {steady} --> {_node(experiment)} --> {before}"]
            if experiment.after:
                follower = _id(experiment.name)
                lines += [f"  {_id(experiment.after)} -. once it is on .-> {follower}"]
        lines += [f"  {before}([recovered])"]
    lines += [f"  {before} --> checks([consistency, evidence, report])"]
    for workload in plan.workloads:
        node = f'{_id(workload.name)}_sent[/"{workload.name}<br/>{workload.kind}"/]'
        lines += [f"  {node} -. judged .-> checks"]
    return "\n".join(lines)


def _told(experiment: PlannedExperiment) -> list[str]:
    fault = experiment.fault
    after = f" after {_time(fault.delay)}" if fault.delay else ""
    if experiment.after:
        after += f" once {experiment.after} is on (waits {_time(experiment.wait)} at most)"
    given = {name: value for name, value in fault.params.items() if value is not None}
    params = ", ".join(f"{name}={value}" for name, value in given.items())
    return [
        f"  {experiment.name}: {fault.type}" + (f" ({params})" if params else ""),
        f"    hits   {_targets(experiment.targets)}",
        f"    for    {_time(fault.duration)}{after}, {experiment.effect.value}, "
        f"gone within {_time(experiment.worst_case)} at worst",
        *(f"    {'ends' if not index else '    '}   on {stop}"
          for index, stop in enumerate(experiment.stops)),
        f"    undo   {canonical(experiment.as_json()['undo']).decode()}",
    ]


def _targets(targets: tuple[Target, ...]) -> str:
    return ", ".join(f"{t.name} ({t.share:.0%} of {t.service})" for t in targets) or "nothing"


def _node(experiment: PlannedExperiment) -> str:
    fault = experiment.fault
    return f'{_id(experiment.name)}["{experiment.name}<br/>{fault.type}, {_time(fault.duration)}"]'


def _id(name: str) -> str:
    return name.replace("-", "_")


def _time(value: timedelta) -> str:
    seconds = value.total_seconds()
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{int(seconds // 60)} min {seconds % 60:g} s"
