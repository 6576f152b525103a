"""What the steps of a run read from its book, and the findings they write there."""

from collections.abc import Sequence
from dataclasses import asdict

from pydantic import ValidationError

from holdfast.errors import SpecError
from holdfast.model.fault import Fault
from holdfast.model.run import Entry, EntryKind, Run
from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.plan.plan import fault
from holdfast.ports.bundle import Ports
from holdfast.steps.stops import run_stopped

STOPPED = "stopped"
"""Name of the finding that somebody stopped the run between its faults."""


def run_of(ports: Ports, run_id: str) -> Run:
    """The run as its book has it."""
    run = ports.books.run(run_id)
    if run is None:
        raise SpecError(f"there is no run '{run_id}' in the books")
    return run


def suite_entry(ports: Ports, run_id: str) -> dict[str, object]:
    """The suite as it was validated, beside its `file`, `digest` and the person's choices."""
    return dict(_only(ports, run_id, EntryKind.SUITE).data)


def suite_of(ports: Ports, run_id: str) -> Suite:
    """The suite with the person's choices applied.

    Rounds keep their number: one whose experiments were all left out is empty.
    """
    entry = suite_entry(ports, run_id)
    only = entry["only"]
    try:
        suite = Suite.model_validate(entry["suite"])
    except ValidationError as error:
        raise SpecError(
            f"the suite of run '{run_id}' was written down by another version of Holdfast",
            hint="use that version for this run",
        ) from error
    return choose(suite, tuple(only) if isinstance(only, list | tuple) else ())


def choose(suite: Suite, only: Sequence[str]) -> Suite:
    """Leave out every experiment that is not named; none named means all."""
    if not only:
        return suite
    rounds = []
    for step in suite.rounds:
        chosen = tuple(e for e in step.experiments if e.name in only)
        rounds.append(step.model_copy(update={"experiments": chosen}))
    return suite.model_copy(update={"rounds": tuple(rounds)})


def is_dry(ports: Ports, run_id: str) -> bool:
    """Whether the person asked for no faults."""
    return bool(suite_entry(ports, run_id)["dry_run"])


def plan_of(ports: Ports, run_id: str) -> dict[str, object]:
    """The plan as JSON, its digest beside it."""
    return dict(_only(ports, run_id, EntryKind.PLAN).data)


def stopped_since(ports: Ports, run_id: str) -> str:
    """Say why no further fault may begin (a stop or a hold since the run began), or nothing.

    A stop that names the run counts even if it came before the run had taken its environment.
    """
    run = run_of(ports, run_id)
    if told := told_to_stop(ports, run):
        return told
    reserved = ports.books.read(run_id, EntryKind.RESERVED)
    there = ports.leases.environment(run.environment)
    if there.hold:
        return f"environment {there.name} is held: {there.hold}"
    if reserved and reserved[-1].data["epoch"] != there.epoch:
        return f"environment {there.name} was stopped since the run began"
    return ""


def told_to_stop(ports: Ports, run: Run) -> str:
    """Say who stopped the run and why, wherever that was typed; or nothing.

    On this host the file tells of it also when the store does not.
    """
    if told := run_stopped(ports.settings.stops, run.id, run.started_at):
        return told
    stops = ports.books.read(run.id, EntryKind.STOP)
    return f"stopped by {stops[-1].data['by']}: {stops[-1].data['why']}" if stops else ""


def note_stop(ports: Ports, run_id: str) -> str:
    """Say why no further fault may begin, and put it in the book; or say nothing."""
    why = stopped_since(ports, run_id)
    if why:
        write_finding(ports, run_id, Finding(STOPPED, Verdict.UNKNOWN, why))
    return why


def experiment_of(suite: Suite, name: str) -> tuple[int, Experiment]:
    """The experiment and the number of its round, from 0."""
    for number, step in enumerate(suite.rounds):
        for experiment in step.experiments:
            if experiment.name == name:
                return number, experiment
    raise SpecError(f"unknown experiment '{name}'", where=suite.metadata.name)


def fault_of(ports: Ports, suite: Suite, experiment: Experiment) -> Fault:
    """The fault as its driver gets it."""
    return fault(suite, experiment, ports.drivers, str(ports.settings.home))


def write(ports: Ports, run_id: str, kind: EntryKind, name: str, data: dict[str, object]) -> None:
    """Append an entry about the whole run."""
    ports.books.write(Entry(run_id, kind, name, data, at=ports.clock.now().isoformat()))


def write_finding(ports: Ports, run_id: str, finding: Finding) -> None:
    """Append a finding; a later one with the same name and experiment takes its place."""
    data = asdict(finding) | {"verdict": finding.verdict.name, "measured": dict(finding.measured)}
    at = ports.clock.now().isoformat()
    ports.books.write(
        Entry(run_id, EntryKind.FINDING, finding.name, data, finding.experiment, at)
    )


def findings(ports: Ports, run_id: str) -> list[Finding]:
    """All findings that count, in order of writing."""
    return [_finding(entry) for entry in ports.books.read(run_id, EntryKind.FINDING)]


def _finding(entry: Entry) -> Finding:
    measured = entry.data.get("measured")
    return Finding(
        entry.name,
        Verdict[str(entry.data["verdict"])],
        str(entry.data["text"]),
        entry.experiment,
        dict(measured) if isinstance(measured, dict) else {},
    )


def _only(ports: Ports, run_id: str, kind: EntryKind) -> Entry:
    entries = ports.books.read(run_id, kind)
    if not entries:
        raise SpecError(f"run '{run_id}' has no {kind} entry", hint="its plan step has not run")
    return entries[-1]
