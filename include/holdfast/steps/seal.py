"""Put a run's files and its signed result into the evidence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from holdfast.clients.history import lines
from holdfast.errors import CheckError, EvidenceError, HoldfastError
from holdfast.model.lease import Lease
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import Artefact, Entry, EntryKind, Run, RunState
from holdfast.model.suite import Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps import indicate
from holdfast.steps.book import findings, run_of, suite_of, write_finding
from holdfast.steps.catalogues import digests
from holdfast.steps.figures import lease_figures
from holdfast.steps.judge import judged
from holdfast.steps.judge_whole import source_of

RESULT = PREDICATES + "result/v1"
REPORT = PREDICATES + "report/v1"
REPORT_PREFIX = "report."
_POINTS = 10_000  # a run of two hours by the second; Prometheus gives at most 11,000 at once
_JSON = "application/json"
_ROOM = 46_000
"""Bytes that a statement may have: base64 makes four of three, and a record has 65,535."""
_NEEDED = (
    "name", "verdict", "service", "controls", "lease_id", "boot_id", "injected_boottime_ms",
)
"""Figures of an experiment that its record holds in any case; the signed book.json has them all."""
_WISHED = (
    *_NEEDED, "fault_type", "state", "ended", "revoked", "reverted_boottime_ms",
    "clean_boottime_ms", "lease_margin_ms", "guard_ms", "keeper_ms", "abort_ms", "detection_ms",
    "recovery_from_fault_ms", "recovery_from_revert_ms",
)


def seal(ports: Ports, run_id: str) -> int:
    """Keep journals, histories, samples and the run's book; sign the result; give its number.

    Again, it appends another result: the latest counts, and is never better than the one before it
    unless the run was started again. What cannot be kept is named in the book's
    `missing`, and never stops the signing.
    """
    run, suite = run_of(ports, run_id), suite_of(ports, run_id)
    _keep_to_what_was_signed(ports, run_id)
    missing = {**_keep_journals(ports, run_id), **_keep_histories(ports, run, suite)}
    missing |= _keep_samples(ports, run, suite)
    _keep_book(ports, run, missing)
    kept = [a for a in ports.artefacts.of(run_id) if not a.name.startswith(REPORT_PREFIX)]
    subjects = {a.name: a.digest.removeprefix("sha256:") for a in kept}
    predicate = _result(ports, run, suite) | {"artefacts": [_listed(a) for a in kept]}
    if len(json.dumps([subjects, predicate])) > _ROOM:
        predicate = _shortened(predicate)
    index = ports.notary.append(run_id, Statement(RESULT, subjects, predicate),
                                may_wait=suite.compliance.may_wait).index
    data = {"verdict": predicate["verdict"], "index": index}
    ports.books.write(Entry(run_id, EntryKind.VERDICT, "sealed", data, at=_now(ports)))
    return index


def _keep_to_what_was_signed(ports: Ports, run_id: str) -> None:
    """Make a worse result of the same start a finding: what was signed is not taken back."""
    entries = ports.books.read(run_id, EntryKind.VERDICT)
    sealed = next((e.data for e in entries if e.name == "sealed"), {})
    index, name = sealed.get("index"), str(sealed.get("verdict"))
    if not isinstance(index, int) or index < _start_index(ports, run_id):
        return
    if Verdict[name] > Verdict.worst(judged(ports, run_id).values()):
        text = f"record {index} says {name}: a signed result is not made better afterwards"
        write_finding(ports, run_id, Finding("sealed", Verdict[name], text))


def _start_index(ports: Ports, run_id: str) -> int:
    """Give the number of the run's latest start; -1 if it has none."""
    return max((
        r.index for r in ports.notary.so_far(run_id) if r.predicate_type.endswith("run-start/v1")
    ), default=-1)


def has_open_start(ports: Ports, run_id: str) -> bool:
    """Whether the log has a start of the run, and no result after it."""
    kinds = [r.predicate_type for r in ports.notary.so_far(run_id)]
    return any(kind.endswith("run-start/v1") for kind in kinds[_after_result(kinds):])


def _after_result(kinds: Sequence[str]) -> int:
    return max((n + 1 for n, kind in enumerate(kinds) if kind == RESULT), default=0)


def _result(ports: Ports, run: Run, suite: Suite) -> dict[str, object]:
    by_name = judged(ports, run.id)
    return {
        "run_id": run.id, "suite": run.suite, "environment": run.environment,
        "triggered_by": run.triggered_by, "plan_digest": run.plan_digest,
        "started_at": run.started_at, "sealed_at": _now(ports),
        "is_postponed": run.state is RunState.POSTPONED, "reason": run.reason[:500],
        "verdict": Verdict.worst(by_name.values()).name,
        "whole": by_name.get("", Verdict.HELD).name,
        "start_index": _start_index(ports, run.id),
        "experiments": [
            _experiment(ports, run.id, name, verdict)
            | _asked(suite, name) for name, verdict in by_name.items() if name
        ],
        **_findings(ports, run.id),
        "controls": list(suite.compliance.controls), "catalogues": digests(),
    }


def _findings(ports: Ports, run_id: str) -> dict[str, object]:
    """Count them all, and tell those that did not hold; the whole is in the signed book.json."""
    found = findings(ports, run_id)
    bad = [f for f in found if f.verdict is not Verdict.HELD]
    return {
        "counts": {v.name: sum(f.verdict is v for f in found) for v in Verdict},
        "findings": [
            {"name": f.name, "experiment": f.experiment, "verdict": f.verdict.name,
             "text": f.text[:200]}
            for f in sorted(bad, key=lambda f: -f.verdict)
        ],
    }


def _shortened(predicate: Mapping[str, Any]) -> dict[str, object]:
    """Leave out of a long result what the book says too; the worst findings stay."""
    experiments = [{k: e[k] for k in _NEEDED if k in e} for e in predicate["experiments"]]
    return {**predicate, "experiments": experiments, "findings": predicate["findings"][:5]}


def _experiment(ports: Ports, run_id: str, name: str, verdict: Verdict) -> dict[str, object]:
    """Figures of one experiment: whole numbers and text, as signed bytes hold nothing else."""
    told: dict[str, object] = {"name": name, "verdict": verdict.name}
    lease = _latest(ports, run_id, name)
    if lease is not None:
        told |= {"fault_type": lease.fault_type} | lease_figures(ports, lease)
    for entry in ports.books.read(run_id, EntryKind.RECOVERY):
        if entry.experiment == name:
            told |= entry.data
    return {name: told[name] for name in _WISHED if told.get(name, "") != ""}


def _asked(suite: Suite, name: str) -> dict[str, object]:
    """What the suite says of it: the service that is hit, and controls of its own."""
    for step in suite.rounds:
        for experiment in step.experiments:
            if experiment.name == name:
                own = {"controls": list(experiment.controls)} if experiment.controls else {}
                return {"service": experiment.fault.target, **own}
    return {}


def _latest(ports: Ports, run_id: str, experiment: str) -> Lease | None:
    own = [x for x in ports.leases.leases(run_id=run_id) if x.experiment == experiment]
    return own[-1] if own else None


def _keep_journals(ports: Ports, run_id: str) -> dict[str, str]:
    missing = {}
    for lease in ports.leases.leases(run_id=run_id):
        name = f"journal-{lease.experiment}-{lease.id}.jsonl"
        try:
            written = [asdict(line) for line in ports.journals.open(lease.id).lines()]
        except (KeyError, EvidenceError) as error:
            missing[name] = f"the journal cannot be read: {error}"
            continue
        text = "".join(json.dumps(line, sort_keys=True, default=str) + "\n" for line in written)
        ports.artefacts.put(run_id, name, text.encode(), "application/jsonl")
    return missing


def _keep_histories(ports: Ports, run: Run, suite: Suite) -> dict[str, str]:
    missing = {}
    alone = {h for h in suite.target.history_names if suite.target.query(h) is None}
    whole = [a for a in ports.artefacts.of(run.id) if a.name.split(".")[0][8:] in alone]
    for history in suite.target.history_names:
        if any(a.name.startswith(f"history-{history}.") for a in whole):
            continue  # kept when it was judged
        name = f"history-{history}.jsonl"
        try:
            content = lines(source_of(ports, run, suite, history), run.start_boottime)
        except CheckError as error:
            missing[name] = str(error)
            continue
        ports.artefacts.put(run.id, name, content, "application/jsonl")
    return missing


def _keep_samples(ports: Ports, run: Run, suite: Suite) -> dict[str, str]:
    start = datetime.fromisoformat(run.started_at).timestamp()
    end = ports.clock.now().timestamp()
    step = max(1.0, round((end - start) / _POINTS, 1))
    try:
        series = {
            o.name: [
                list(p) for p in indicate.between(ports, suite, o, (start, end, step), run.id)
            ] for o in suite.objectives
        }
    except (HoldfastError, OSError) as error:
        return {"samples.json": str(error)}
    kept = {"start": start, "end": end, "step": step, "series": series}
    ports.artefacts.put(run.id, "samples.json", json.dumps(kept).encode(), _JSON)
    return {}


def _keep_book(ports: Ports, run: Run, missing: Mapping[str, str]) -> None:
    book = {
        "run": asdict(run) | {"verdict": "" if run.verdict is None else run.verdict.name},
        "entries": [asdict(entry) for entry in ports.books.read(run.id)],
        "leases": [asdict(lease) for lease in ports.leases.leases(run_id=run.id)],
        "missing": dict(missing),
    }
    text = json.dumps(book, indent=1, sort_keys=True, default=str)
    ports.artefacts.put(run.id, "book.json", text.encode(), _JSON)


def _listed(artefact: Artefact) -> dict[str, object]:
    return {
        "name": artefact.name, "digest": artefact.digest, "size": artefact.size,
        "media_type": artefact.media_type,
    }


def _now(ports: Ports) -> str:
    return ports.clock.now().isoformat(timespec="milliseconds")
