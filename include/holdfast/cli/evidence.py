"""`holdfast evidence`: look at what runs left behind, and check it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.border import border, out, settings
from holdfast.errors import EvidenceError, SpecError
from holdfast.evidence.trouble import Injection
from holdfast.model.lease import LeaseState
from holdfast.model.record import Record
from holdfast.ports.bundle import Ports

if TYPE_CHECKING:
    from holdfast.evidence.verify import Checked

app = typer.Typer(help="Look at what runs left behind, and check it.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="for programs")]


@app.command(name="list")
def list_runs(
    limit: Annotated[int, typer.Option(help="how many, the latest first")] = 20,
    as_json: _Json = False,
) -> None:
    """List runs with their verdicts and records."""
    with border():
        ports = _ports()
        rows = [
            {
                "run": run.id, "verdict": run.standing,
                "started_at": run.started_at, "triggered_by": run.triggered_by,
                "records": [r.index for r in ports.notary.records(run.id)],
            }
            for run in ports.books.runs(limit)
        ]
        if as_json:
            typer.echo(json.dumps(rows, indent=1))
            return
        width = max((len(str(row["run"])) for row in rows), default=0)
        for row in rows:
            numbers = ", ".join(str(n) for n in row["records"]) or "none"
            out.print(
                f"{row['run']:{width}}  {row['verdict']:9}  {str(row['started_at'])[:19]}  "
                f"by {row['triggered_by']}  records {numbers}", markup=False,
            )


@app.command()
def show(run: str, as_json: _Json = False) -> None:
    """Show a run's signed statements and files."""
    with border():
        ports = _ports()
        records = _records(ports, run)
        if as_json:
            typer.echo(json.dumps([_told(r) for r in records], indent=1))
            return
        for record in records:
            told = _told(record)
            out.print(f"record {record.index}  {told['type']}  {record.recorded_at}")
            out.print_json(json.dumps(told["predicate"]))
        for kept in ports.artefacts.of(run):
            out.print(f"{kept.digest}  {kept.size:>9}  {ports.artefacts.path(kept)}", markup=False)


@app.command()
def verify(
    run: str, as_json: _Json = False,
    key: Annotated[
        Path | None, typer.Option(help="public key (PEM) that you got by another way")
    ] = None,
) -> None:
    """Check signatures, chain, order and files of a run. Exit 0 all well, 1 changed, 3 missing."""
    with border():
        ports = _ports()
        pem = ports.notary.public_key() if key is None else _read_key(key)
        found = checked(ports, run, pem)
    trust = (
        "integrity only: the key is this deployment's own" if key is None
        else f"against the key in {key}"
    )
    if as_json:
        typer.echo(json.dumps({
            "run": run, "ok": not found.troubles, "exit_code": found.exit_code,
            "trust": trust, "key_id": found.key_id, "log_size": found.log_size,
            "records": found.records, "artefacts": found.artefacts,
            "troubles": [asdict(t) for t in found.troubles], "notes": list(found.notes),
        }, indent=1))
    else:
        for trouble in found.troubles:
            out.print(str(trouble), markup=False)
        for note in found.notes:
            out.print(f"note: {note}", markup=False)
        word = "FAILED" if found.troubles else "OK"
        out.print(
            f"{word} {run}: {found.records} records of a log of {found.log_size}, "
            f"{found.artefacts} files; {trust} ({found.key_id[:16]})", markup=False,
        )
    raise typer.Exit(found.exit_code)


def checked(
    ports: Ports, run: str, pem: bytes, records: Sequence[Record] | None = None
) -> "Checked":
    """Verify a run, and hold the books' verdict against the signed one.

    `records` is the log to look at, by default the deployment's own.
    """
    from holdfast.evidence.verify import compared, verify

    log = ports.notary.records() if records is None else records
    found = verify(log, run, pem, _digests(ports, run), _injections(ports, run))
    return compared(found, run, ports.books.run(run))


def _ports() -> Ports:
    from holdfast.wiring import ports

    return ports(settings())


def _read_key(key: Path) -> bytes:
    try:
        return key.read_bytes()
    except OSError as error:
        raise SpecError(
            f"the public key cannot be read: {error.strerror}", where=str(key),
            hint="give a PEM file with --key",
        ) from error


def _records(ports: Ports, run: str) -> Sequence[Record]:
    records = ports.notary.records(run)
    if not records:
        known = ", ".join(r.id for r in ports.books.runs(5))
        raise SpecError(f"no record of run '{run}'", hint=f"the latest runs: {known or 'none'}")
    return records


def _told(record: Record) -> dict[str, object]:
    from holdfast.evidence.envelope import read, statement_of

    statement = statement_of(read(record.envelope))
    return {
        "index": record.index, "type": statement.predicate_type,
        "subjects": dict(statement.subjects), "predicate": dict(statement.predicate),
    }


def _digests(ports: Ports, run: str) -> Callable[[str], str | None]:
    """Digests of the files as they are now, by name; what the list says of them is not asked."""
    paths = {a.name: ports.artefacts.path(a) for a in ports.artefacts.of(run)}

    def digest(name: str) -> str | None:
        try:
            return hashlib.sha256(paths[name].read_bytes()).hexdigest()
        except (KeyError, FileNotFoundError):
            return None

    return digest


def _injections(ports: Ports, run: str) -> list[Injection]:
    """When faults began, by the keepers' journals on this host."""
    found = []
    for lease in ports.leases.leases(run_id=run):
        try:
            lines = ports.journals.open(lease.id).lines()
        except (KeyError, EvidenceError):
            continue  # the sealed copy is checked by its digest
        begun = [line.boottime for line in lines if line.state is LeaseState.INJECTING]
        if begun:
            found.append(Injection(lease.id, lease.boot_id, round(begun[0] * 1000)))
    return found
