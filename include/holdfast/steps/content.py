"""Gather what a report says from the books, the leases, the artefacts and the evidence log."""

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from holdfast.errors import EvidenceError, SpecError
from holdfast.evidence.keys import key_id, public_key
from holdfast.model.lease import Lease
from holdfast.model.quantities import Bound, format_duration
from holdfast.model.run import Entry, EntryKind, Run, RunState
from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.reports._content import (
    Chart,
    Check,
    File,
    Guarded,
    Proof,
    Report,
    Trial,
    Window,
)
from holdfast.steps.book import findings, plan_of, run_of, suite_entry, suite_of
from holdfast.steps.figures import lease_figures
from holdfast.steps.judge import judged
from holdfast.steps.seal import REPORT, REPORT_PREFIX

_DECISIONS = {
    "breach": "aborted: an objective was breached",
    "no_data": "ended: the guard had no data",
    "not_steady": "no fault: the target was not steady",
    "stopped": "ended: a person stopped it",
    "keeper_silent": "ended: the keeper fell silent",
    "superseded": "replaced by a later try",
    "closed": "ended: the run was closed",
    "round": "ended: another fault of the round was stopped",
}


def content(ports: Ports, run_id: str) -> Report:
    """Put together everything that is known of a run now."""
    run, suite = run_of(ports, run_id), suite_of(ports, run_id)
    found, by_name = findings(ports, run_id), judged(ports, run_id)
    verdict = run.verdict if run.verdict is not None else Verdict.worst(by_name.values())
    leases = ports.leases.leases(run_id=run_id)
    trials = [
        _trial(ports, run_id, e, by_name[e.name], found)
        for step in suite.rounds for e in step.experiments
    ]
    ended = run.ended_at or ports.clock.now().isoformat(timespec="milliseconds")
    return Report(
        run_id=run_id, suite=run.suite, description=suite.metadata.description,
        owner=suite.metadata.owner, verdict=verdict,
        headline=_headline(run, verdict, trials, found), triggered_by=run.triggered_by,
        environment=run.environment, started_at=run.started_at, ended_at=ended,
        duration_ms=_between_ms(run.started_at, ended), trials=trials,
        guarded=[_guarded(ports, lease) for lease in leases],
        charts=_charts(ports, suite, run_id, leases),
        checks=[_check(f) for f in found if not f.experiment],
        proof=_proof(ports, run_id), facts=_facts(ports, run_id, suite),
        repeat=_repeat(ports, run), controls=suite.compliance.controls,
        left_out=_left_out(ports, run_id, suite),
    )


def _headline(
    run: Run, verdict: Verdict, trials: Sequence[Trial], found: Sequence[Finding]
) -> str:
    if run.state is RunState.POSTPONED:
        return f"Postponed, no verdict: {run.reason}"
    held = sum(t.verdict is Verdict.HELD for t in trials)
    many = f"{held} of {len(trials)} experiments held"
    worst = [f for f in found if f.verdict is verdict and verdict is not Verdict.HELD]
    if worst:
        first = worst[0]
        where = f"{first.experiment}: " if first.experiment else ""
        return f"{many}; {where}{_short(first.text)}"
    if verdict is Verdict.HELD:
        whole = [f.text for f in found if not f.experiment]
        return "; ".join([many, *whole[:1]])
    return f"{many}. {run.reason or 'Not every experiment was tried.'}"


def _short(text: str) -> str:
    return text if len(text) <= 240 else text[:240].rsplit(" ", 1)[0] + " ..."


def _trial(
    ports: Ports, run_id: str, experiment: Experiment, verdict: Verdict, found: Sequence[Finding]
) -> Trial:
    own = [f for f in found if f.experiment == experiment.name]
    fault = next((f.text for f in own if f.name == "fault"), "the fault was never injected")
    felt: Mapping[str, object] = next(
        (e.data for e in ports.books.read(run_id, EntryKind.RECOVERY)
         if e.experiment == experiment.name), {},
    )
    figures = {
        name: _whole(felt.get(name)) for name in (
            "active_ms", "detection_ms", "recovery_from_fault_ms", "recovery_from_revert_ms",
            "operations", "failed", "unsure", "slow",
        )
    }
    return Trial(
        experiment.name, experiment.hypothesis, _fault(experiment), verdict, fault,
        [_check(f) for f in own], **figures,
    )


def _fault(experiment: Experiment) -> str:
    spec = experiment.fault
    parts = [f"{spec.type} on {spec.target}", format_duration(spec.duration)]
    if spec.delay:
        parts.append(f"after {format_duration(spec.delay)}")
    given = {n: str(v).lower() if isinstance(v, bool) else v for n, v in spec.params.items()}
    return ", ".join(parts + [f"{name} {value}" for name, value in given.items()])


def _check(finding: Finding) -> Check:
    return Check(finding.name, finding.verdict, finding.text)


def _guarded(ports: Ports, lease: Lease) -> Guarded:
    figures = lease_figures(ports, lease)
    decision = _DECISIONS.get(str(figures["revoked"]), "")
    if lease.ended is not None and lease.ended.value == "duration":
        decision = "went on to the end"
    if not decision:
        decision = f"ended: {lease.ended.value}" if lease.ended else f"still {lease.state.value}"
    reading = lease.revoked.text if lease.revoked and decision != "went on to the end" else ""
    known = {
        name: _whole(figures.get(name)) for name in (
            "widest_gap_ms", "lease_margin_ms", "guard_ms", "keeper_ms", "abort_ms",
            "clean_after_ms",
        )
    }
    return Guarded(
        lease.experiment, decision, reading, lease.counter, round(lease.lease_seconds * 1000),
        **known,
    )


def _charts(
    ports: Ports, suite: Suite, run_id: str, leases: Sequence[Lease]
) -> list[Chart]:
    kept = next((a for a in ports.artefacts.of(run_id) if a.name == "samples.json"), None)
    if kept is None:
        return []
    samples = json.loads(ports.artefacts.path(kept).read_bytes())
    windows = _windows(ports, leases)
    charts = []
    for objective in suite.objectives:
        bound = objective.objective
        factor = {"ms": 1000.0, "%": 100.0}.get(bound.unit, 1.0)
        points = [(at, value * factor) for at, value in samples["series"].get(objective.name, [])]
        charts.append(Chart(
            objective.name, str(bound), bound.value * factor, bound.unit, samples["start"],
            samples["end"], samples["step"], points, windows,
        ))
    return charts


def _windows(ports: Ports, leases: Sequence[Lease]) -> list[Window]:
    """Fault windows as dates, by this host's two clocks."""
    now = ports.clock.now().timestamp()
    offset = now - ports.clock.boottime()
    return [
        Window(
            lease.experiment, lease.injected_at + offset,
            now if (end := lease.clean_at or lease.reverted_at) is None else end + offset,
        )
        for lease in leases if lease.injected_at is not None
    ]


def _proof(ports: Ports, run_id: str) -> Proof:
    files = [
        File(a.name, a.digest, a.size) for a in ports.artefacts.of(run_id)
        if not a.name.startswith(REPORT_PREFIX)
    ]
    try:
        records = [
            (r.index, r.predicate_type.rpartition("/evidence/")[2], r.recorded_at)
            for r in ports.notary.records(run_id)
            if r.predicate_type != REPORT  # a report that names itself would never be the same
        ]
        return Proof(key_id(public_key(ports.notary.public_key())), records, files)
    except EvidenceError as error:
        return Proof("", (), files, f"The evidence log cannot be read: {error}")


def _facts(ports: Ports, run_id: str, suite: Suite) -> list[tuple[str, str]]:
    try:
        installed = version("holdfast")
    except PackageNotFoundError:
        installed = "from a checkout"
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    facts = [
        ("Holdfast", installed), ("Machine", f"{machine}, Python {platform.python_version()}"),
        ("Suite", str(suite_entry(ports, run_id)["digest"])), ("Plan", _plan_digest(ports, run_id)),
        ("Prometheus", suite.target.prometheus),
    ]
    for name, selector in suite.target.services.items():
        told = selector.model_dump(exclude_none=True)
        facts.append((name, ", ".join(f"{kind} {where}" for kind, where in told.items())))
    bounds = {o.name: o.objective for o in suite.objectives}
    normal = ports.books.read(run_id, EntryKind.BASELINE)
    return [*facts, *(_baseline(e, bounds[e.name]) for e in normal if e.name in bounds)]


def _baseline(entry: Entry, bound: Bound) -> tuple[str, str]:
    """What was normal, in the author's unit; the worst is on the bound's far side."""
    worst_of, how = ("max", "at most") if bound.op.startswith("<") else ("min", "at least")
    mean, worst = entry.data.get("mean"), entry.data.get(worst_of)
    if not isinstance(mean, int | float) or not isinstance(worst, int | float):
        return f"Baseline {entry.name}", "no data"
    return f"Baseline {entry.name}", f"mean {bound.tell(mean)}, {how} {bound.tell(worst)}"


def _plan_digest(ports: Ports, run_id: str) -> str:
    try:
        return str(plan_of(ports, run_id)["digest"])
    except SpecError:
        return "none: the targets could not be resolved"


def _repeat(ports: Ports, run: Run) -> list[str]:
    only = suite_entry(ports, run.id)["only"]
    names = only if isinstance(only, list | tuple) else ()
    options = "".join(f" --only {name}" for name in names)
    return [
        f"holdfast run {run.suite}{options}", f"holdfast evidence show {run.id}",
        f"holdfast evidence verify {run.id}",
    ]


def _left_out(ports: Ports, run_id: str, suite: Suite) -> list[str]:
    whole = Suite.model_validate(suite_entry(ports, run_id)["suite"])
    chosen = {e.name for step in suite.rounds for e in step.experiments}
    return [e.name for step in whole.rounds for e in step.experiments if e.name not in chosen]


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _between_ms(start: str, end: str) -> int:
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(passed.total_seconds() * 1000)
