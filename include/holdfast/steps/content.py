"""Gather what a report says from the books, the leases, the artefacts and the evidence log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from holdfast.model.lease import LeaseState
from holdfast.model.quantities import format_duration
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.model.suite import Experiment, Suite
from holdfast.model.summary import Felt, Told
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.reports._content import Check, Report, Trial
from holdfast.score.matters import is_mechanism
from holdfast.score.summary import summarise
from holdfast.steps import content_entries, content_setting
from holdfast.steps.book import findings, run_of, suite_of
from holdfast.steps.catalogues import catalogue
from holdfast.steps.content_charts import availability, charts, samples
from holdfast.steps.content_guard import guarded, whole
from holdfast.steps.content_histories import histories
from holdfast.steps.judge import judged


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
    kept = samples(ports, run_id)
    ended = run.ended_at or ports.clock.now().isoformat(timespec="milliseconds")
    return Report(
        run_id=run_id, suite=run.suite, description=suite.metadata.description,
        owner=suite.metadata.owner, verdict=verdict,
        headline=_headline(run, verdict, trials, found), triggered_by=run.triggered_by,
        environment=run.environment, started_at=run.started_at, ended_at=ended,
        duration_ms=_between_ms(run.started_at, ended), trials=trials,
        guarded=[guarded(ports, lease) for lease in leases],
        charts=charts(ports, suite, kept, leases),
        checks=[_check(f) for f in found if not f.experiment],
        proof=content_setting.proof(ports, run_id),
        facts=content_setting.facts(ports, run_id, suite),
        repeat=content_setting.repeat(ports, run), controls=_controls(suite),
        summary=summarise(_told(ports, run, suite, trials, availability(suite, kept))),
        left_out=content_setting.left_out(ports, run_id, suite),
        mechanisms=content_entries.mechanisms(found, suite),
        spends=content_entries.spends(ports, run_id),
        day_left=content_entries.day_left(ports, run_id, suite.budget),
        normals=content_entries.normals(ports, run_id, suite),
        health=content_entries.health(ports, run_id),
        blasts=content_entries.blasts(found), score=content_entries.score(ports, run_id),
        histories=histories(ports, run_id, suite),
    )


def _controls(suite: Suite) -> Sequence[str]:
    """All that it names, with their titles."""
    known = catalogue()
    named = dict.fromkeys([
        *suite.compliance.controls,
        *(c for step in suite.rounds for e in step.experiments for c in e.controls),
    ])
    return [f"{c} ({known[c.lower()].title})" if c.lower() in known else c for c in named]


def _told(
    ports: Ports, run: Run, suite: Suite, trials: Iterable[Trial], available: float | None
) -> Told:
    """Give the summary what it is made from."""
    found = findings(ports, run.id)
    dirty = [
        lease.experiment for lease in ports.leases.leases(run_id=run.id)
        if lease.state is not LeaseState.CLEAN
    ]
    ran = {f.experiment for f in found if f.name == "fault"}
    felt = [
        Felt(t.name, t.verdict, t.name in ran, t.operations, t.failed, t.unsure, t.slow)
        for t in trials
    ]
    drift = [
        f"{n.name}: {n.drift}" for n in content_entries.normals(ports, run.id, suite) if n.drift
    ]
    return Told(
        run.suite, suite.metadata.owner, datetime.fromisoformat(run.started_at).date(),
        run.state is RunState.POSTPONED, run.reason, felt, found, tuple(dict.fromkeys(dirty)),
        content_setting.left_out(ports, run.id, suite), drift, available,
        content_entries.score(ports, run.id),
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
        whole_run = [f.text for f in found if not f.experiment]
        return "; ".join([many, *whole_run[:1]])
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
        name: whole(felt.get(name)) for name in (
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
    if spec.after:
        parts.append(f"when {spec.after} is on")
    given = {n: str(v).lower() if isinstance(v, bool) else v for n, v in spec.params.items()}
    return ", ".join(parts + [f"{name} {value}" for name, value in given.items()])


def _check(finding: Finding) -> Check:
    tables = {content_entries.BLAST: "blast radius"}
    told_in = "mechanisms" if is_mechanism(finding) else tables.get(finding.name, "")
    return Check(finding.name, finding.verdict, finding.text, told_in)


def _between_ms(start: str, end: str) -> int:
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(passed.total_seconds() * 1000)
