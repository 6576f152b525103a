"""Open a run: check its suite, resolve its targets, write both down, and sign the plan."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from holdfast.errors import Postponed, SpecError, TooLate
from holdfast.evidence.late import BUFFER, MODE
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.model.suite import Suite
from holdfast.plan.plan import Plan, Unresolved, make_plan
from holdfast.ports.bundle import Ports
from holdfast.spec.load import LoadedSuite, load_suite
from holdfast.spec.problems import nearest
from holdfast.spec.rules import Known, installed
from holdfast.steps.book import choose, write
from holdfast.steps.impact import as_json, impacts

PLAN = PREDICATES + "plan/v1"
LATE = timedelta(minutes=30)
"""How long after its time a scheduled run may still begin: long enough for a restart of Airflow.

A suite that tries again for longer than that says so itself.
"""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a person, a schedule or a pipeline asked for; `only` empty means every experiment.

    `due` is when a schedule wanted it.
    """

    run_id: str
    suite_file: Path
    only: tuple[str, ...] = ()
    dry_run: bool = False
    triggered_by: str = ""
    due: datetime | None = None


def plan(ports: Ports, request: PlanRequest) -> str:
    """Give back the plan's digest.

    SpecError if the suite or the choice of experiments is wrong; Postponed, with the run already
    open, if its schedule wanted it long ago or targets cannot be resolved now. Again with
    the same plan changes nothing more.
    """
    loaded = load_suite(request.suite_file, _known(ports))
    suite = choose(loaded.suite, _chosen(loaded.suite, request.only))
    late = ports.clock.now() - request.due if request.due else timedelta(0)
    if late > max(LATE, suite.retry_for):
        _open(ports, request, loaded, "")
        raise TooLate(f"it was due {late.total_seconds() / 60:.0f} minutes ago, {request.due}: "
                      "nobody expects its faults now")
    try:
        made = make_plan(suite, loaded.digest, ports.drivers, str(ports.settings.home))
    except Unresolved as error:
        _open(ports, request, loaded, "")
        raise Postponed("targets cannot be resolved: " + "; ".join(error.reasons)) from error
    _open(ports, request, loaded, made.digest)
    stake = as_json(impacts(made, suite, ports.clock.now()))
    if not _is_signed(ports, request.run_id, made.digest):
        ports.notary.append(request.run_id, _statement(request, made, suite, stake),
                            may_wait=suite.compliance.may_wait)
        write(ports, request.run_id, EntryKind.IMPACT, suite.metadata.name, stake)
    write(ports, request.run_id, EntryKind.PLAN, suite.metadata.name,
          made.as_json() | {"digest": made.digest})
    return made.digest


def _known(ports: Ports) -> Known:
    """The drivers of this deployment, beside the probes and checkers that are installed."""
    return replace(installed(), drivers=ports.drivers)


def _chosen(suite: Suite, only: tuple[str, ...]) -> tuple[str, ...]:
    experiments = [e for step in suite.rounds for e in step.experiments]
    names = [e.name for e in experiments]
    for name in only:
        if name not in names:
            raise SpecError(f"unknown experiment '{name}'", where=suite.metadata.name,
                            hint=nearest(name, names))
    for experiment in experiments:
        for before in (experiment.fault.after, experiment.if_held):
            if only and experiment.name in only and before is not None and before not in only:
                raise SpecError(f"'{experiment.name}' follows '{before}', which is left out",
                                where=suite.metadata.name, hint="choose both, or neither")
    return only


def _open(ports: Ports, request: PlanRequest, loaded: LoadedSuite, digest: str) -> None:
    suite, clock = loaded.suite, ports.clock
    run = Run(
        request.run_id, suite.metadata.name, suite.target.environment, request.triggered_by,
        digest, clock.now().isoformat(), clock.boottime(),
    )
    before = ports.books.run(run.id)
    if before is None:
        ports.books.open_run(run)
    elif before.state is not RunState.STARTED:  # it was cleared, and begins again
        ports.books.close_run(run)
    data: dict[str, object] = {
        "suite": suite.model_dump(mode="json", by_alias=True),
        "digest": loaded.digest,
        "file": str(loaded.path),
        "only": list(request.only),
        "dry_run": request.dry_run,
    }
    write(ports, run.id, EntryKind.SUITE, suite.metadata.name, data)


def _is_signed(ports: Ports, run_id: str, digest: str) -> bool:
    """The entry is written after the record, so an entry of this digest proves one."""
    entries = ports.books.read(run_id, EntryKind.PLAN)
    return bool(entries) and entries[-1].data["digest"] == digest


def _statement(
    request: PlanRequest, made: Plan, suite: Suite, stake: dict[str, object]
) -> Statement:
    """The plan without its recipes, which stay in the book: a signed record is small."""
    experiments = [e.as_json() for e in made.experiments]
    for experiment in experiments:
        del experiment["undo"]
    subjects = {
        f"{made.suite}.plan.json": made.digest.removeprefix("sha256:"),
        request.suite_file.name: made.suite_digest.removeprefix("sha256:"),
    }
    return Statement(PLAN, subjects, made.as_json() | {
        "run_id": request.run_id,
        "plan_digest": made.digest,
        "experiments": experiments,
        "impact": stake,
        "only": list(request.only),
        "dry_run": request.dry_run,
    } | _approval(suite) | _log_down(suite))


def _log_down(suite: Suite) -> dict[str, object]:
    """That records of the run may be late."""
    return {MODE: BUFFER} if suite.compliance.may_wait else {}


def _approval(suite: Suite) -> dict[str, object]:
    """Who must approve such a plan, so that whoever checks the records need not believe a file."""
    return {} if suite.approval is None else {"approval": suite.approval.model_dump(mode="json")}
