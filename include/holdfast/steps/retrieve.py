"""Find evidence: records, files, the whole trail of a run; only of suites that one may see."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.model.record import PREDICATES, Record
from holdfast.model.retrieval import Wanted
from holdfast.model.run import Artefact
from holdfast.ports.bundle import Ports
from holdfast.steps.evidence import check_run

LOG = ""
"""Stands for the suite of records that are the log's own."""


def suite_of_run(ports: Ports, run_id: str) -> str | None:
    """The suite of a run, empty for the log's own records; None if the books do not know it."""
    if not run_id:
        return LOG
    run = ports.books.run(run_id)
    return None if run is None else run.suite


def record_at(ports: Ports, index: int, suites: tuple[str, ...]) -> Record | None:
    """One record; None if there is none, or it is of a suite that one may not see."""
    found = ports.shown.records(Wanted(suites, after=index - 1, limit=1))
    return found[0] if found and found[0].index == index else None


def told(record: Record) -> dict[str, Any]:
    """A record to be read: its place, its kind, what it says, and the signed bytes."""
    try:
        statement = statement_of(read(record.envelope))
        said = {"subjects": dict(statement.subjects), "predicate": dict(statement.predicate)}
    except EvidenceError as error:
        said = {"subjects": {}, "predicate": {"damaged": str(error)}}
    return brief(record) | said | {"envelope": record.envelope.decode(errors="replace")}


def brief(record: Record) -> dict[str, Any]:
    """A record as a line of a list."""
    kind = record.predicate_type.removeprefix(PREDICATES).removesuffix("/v1")
    return {"index": record.index, "run_id": record.run_id, "kind": kind,
            "recorded_at": record.recorded_at, **_gist(record)}


def _gist(record: Record) -> Mapping[str, str]:
    try:
        predicate = statement_of(read(record.envelope)).predicate
    except EvidenceError:
        return {"suite": "", "verdict": ""}
    verdict = "postponed" if predicate.get("is_postponed") else predicate.get("verdict", "")
    return {"suite": str(predicate.get("suite", "")), "verdict": str(verdict)}


def file_by_digest(
    ports: Ports, digest: str, suites: Collection[str]
) -> tuple[Artefact, Path] | None:
    """A file of a run that one may see, by its SHA-256 in hex; None if there is none."""
    for run in ports.books.runs(2**31 - 1):
        if run.suite in suites:
            for kept in ports.artefacts.of(run.id):
                if kept.digest == f"sha256:{digest}":
                    return kept, ports.artefacts.path(kept)
    return None


def trail(ports: Ports, run_id: str) -> dict[str, Any]:
    """All that there is of a run: row, records with proofs, files, and what a check finds now."""
    run = ports.books.run(run_id)
    if run is None:
        raise KeyError(run_id)
    records = ports.notary.records(run_id)
    checked = check_run(ports, run_id)
    return {
        "run": {"id": run.id, "suite": run.suite, "environment": run.environment,
                "triggered_by": run.triggered_by, "started_at": run.started_at,
                "ended_at": run.ended_at, "verdict": run.standing, "reason": run.reason},
        "records": [told(r) | {"proof": ports.log.proof(r.index)} for r in records],
        "artefacts": [_file(kept) for kept in ports.artefacts.of(run_id)],
        "troubles": [asdict(t) for t in checked.troubles], "notes": list(checked.notes),
    }


def _file(kept: Artefact) -> dict[str, Any]:
    return {"name": kept.name, "sha256": kept.digest.removeprefix("sha256:"), "size": kept.size,
            "media_type": kept.media_type}


