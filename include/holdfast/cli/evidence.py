"""`holdfast evidence`: look at what runs left behind, check it, and hand it to others."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from holdfast.audit.request import DAYS, Request
from holdfast.audit.verify import read_period
from holdfast.cli import verify
from holdfast.cli.border import border, out, settings
from holdfast.cli.reconcile import armed_in_airflow
from holdfast.errors import EvidenceError, SpecError
from holdfast.evidence.trouble import exit_code
from holdfast.model.record import Record, Role
from holdfast.ports.bundle import Ports
from holdfast.spec.problems import nearest

app = typer.Typer(help="Look at what runs left behind, check it, hand it to others.",
                  no_args_is_help=True)
app.command(name="verify")(verify.verify)
_ROTATED = (Role.RUNNER, Role.APPROVER, Role.EXPORTER, Role.LOG)
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
def proof(record: Annotated[int, typer.Argument(help="the record's number")]) -> None:
    """Print the proof that a record is in the log: a C2SP tlog-proof."""
    with border():
        typer.echo(_ports().log.proof(record), nl=False)


@app.command()
def head() -> None:
    """Print the newest checkpoint of the log: a C2SP signed note. Keep it, as a pin."""
    with border():
        note, _ = _ports().log.head()
        if not note:
            raise EvidenceError("the log is empty: run a suite first")
        typer.echo(note, nl=False)


@app.command()
def cosign() -> None:
    """Have the witnesses of the policy in .holdfast/trust sign the log's head."""
    from holdfast.steps.cosign import cosign as ask

    with border():
        ports = _ports()
        found = ask(ports)
        if found is None:
            raise EvidenceError(f"no witness is named in {ports.settings.trust / 'policy'}")
        out.print(f"{found.size} records: {found}", markup=False)
        if not found.is_met:
            raise typer.Exit(EvidenceError.exit_code)


@app.command()
def reconcile(
    airflow: Annotated[bool, typer.Option(help="ask Airflow for its runs too")] = True,
    as_json: _Json = False,
) -> None:
    """Compare the log with books, journals and Airflow: a hidden run or fault is told."""
    from holdfast.steps.reconcile import reconciled

    with border():
        ports = _ports()
        troubles = reconciled(ports, armed_in_airflow(ports) if airflow else None)
    if as_json:
        typer.echo(json.dumps([asdict(t) for t in troubles], indent=1))
    else:
        for trouble in troubles:
            out.print(str(trouble), markup=False)
        where = "books, journals and Airflow" if airflow else "books and journals"
        out.print(f"{len(troubles) or 'nothing'} missing between the log, {where}", markup=False)
    raise typer.Exit(exit_code(troubles))


@app.command()
def trust(
    folder: Annotated[Path | None, typer.Argument(help="default .holdfast/trust")] = None
) -> None:
    """Write the folder that auditors need for --trust; give it to them by another way."""
    from holdfast.steps.export import write_trust

    with border():
        ports = _ports()
        place = ports.settings.trust if folder is None else folder
        found = write_trust(ports, place)
        for key in found.roles.keys:
            out.print(f"{key.role:9} {key.id}", markup=False)
        for log in found.policy.logs.values():
            out.print(f"log       {log}", markup=False)
        out.print(f"written to {place}: give it to auditors by another way than the evidence",
                  markup=False)


@app.command()
def rotate(
    role: Annotated[str, typer.Argument(help="runner, approver or exporter")],
) -> None:
    """Put a new key in the place of a role's; the log tells it. Give auditors the new trust."""
    with border():
        if role not in _ROTATED:
            raise SpecError(f"no key of a '{role}' can be changed", where="ROLE",
                            hint=nearest(role, _ROTATED) or ", ".join(_ROTATED))
        notary = _ports().notary
        told = notary.rotate(Role(role))
        out.print(
            f"record {told.index}: {role} has a new key. The old one is in .holdfast/keys as "
            f"{role}-*.old.pem: destroy it when no backup of before will be put back. Machines "
            "that share the store need the new key. Auditors need the new trust folder: "
            "holdfast evidence trust FOLDER", markup=False)


@app.command()
def export(
    bundle: Annotated[Path, typer.Argument(help="the ZIP to write")],
    period: Annotated[str, typer.Option(help="A..B, dates or times; all if left out")] = "",
    framework: Annotated[list[str], typer.Option(help="only these; may be repeated")] = [],
    service: Annotated[list[str], typer.Option(help="only these; may be repeated")] = [],
    suite: Annotated[list[str], typer.Option(help="only these; may be repeated")] = [],
    days: Annotated[int, typer.Option(min=1, max=3650, help="older evidence is stale")] = DAYS,
) -> None:
    """Write one ZIP that somebody outside can check without us."""
    from holdfast.steps.export import export as write

    with border():
        since, until = read_period(period)
        ports = _ports()
        frameworks, services, suites = (
            tuple(sorted({*names})) for names in (framework, service, suite))
        request = Request(since, until, frameworks, services, suites, days)
        made = write(ports, request, bundle)
    out.print(
        f"{bundle}: {len(made.told.runs)} of {len(made.told.population)} runs, {made.files} files, "
        f"{made.size / 1e6:.1f} MB; the log has {made.told.basis.size} records", markup=False)
    for digest in made.missing:
        out.print(f"note: a file of a run is gone: sha256:{digest}", markup=False)


@app.command()
def rebuild() -> None:
    """Make the index of what results show anew, from the records alone."""
    with border():
        ports = _ports()
        ports.shown.rebuild()
        out.print(f"the index tells of {len(ports.shown.services())} services", markup=False)


@app.command()
def selftest() -> None:
    """Break copies of the log in six ways; each must be survived or found. Exit 6 if one is not."""
    with border():
        tried = _ports().selftest()
    for one in tried:
        out.print(f"{'ok ' if one.is_well else 'NOT'} {one.name}: {one.text}", markup=False)
    if not all(one.is_well for one in tried):
        raise typer.Exit(EvidenceError.exit_code)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 0,
) -> None:
    """Serve the retrieval API on loopback, without Airflow, for whoever has its token."""
    with border():
        where = settings()
    words = [str(where.home), str(where.experiments), where.store, str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "holdfast.web", *words])  # noqa: S606 - ours


@app.command()
def verifier(
    file: Annotated[Path, typer.Argument()] = Path("holdfast-verify.pyz"),
) -> None:
    """Write the verifier as one file: it needs Python and the package cryptography only."""
    from holdfast.cli.pyz import write_pyz

    with border():
        write_pyz(file)
        out.print(f"{file}: python3 {file} BUNDLE.zip --trust DIR", markup=False)


def _ports() -> Ports:
    from holdfast.wiring import ports

    return ports(settings())


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
