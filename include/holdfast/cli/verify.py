"""`holdfast evidence verify`: a run of this deployment, or a bundle from anywhere."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from holdfast.audit.__main__ import age
from holdfast.audit.check import NO_TRUST
from holdfast.audit.verify import Options, as_json, plain, read_folder, said, verify_file
from holdfast.cli.border import border, out, settings
from holdfast.errors import EvidenceError, SpecError
from holdfast.evidence.trouble import exit_code

UNREADABLE = 2


def verify(
    what: Annotated[str, typer.Argument(metavar="BUNDLE|RUN", help="a ZIP file, or a run's id")],
    trust: Annotated[Path | None, typer.Option(
        help="folder with policy and roles.json, got by another way")] = None,
    pin: Annotated[Path | None, typer.Option(
        help="bundle: file that keeps the last head seen")] = None,
    period: Annotated[str, typer.Option(help="bundle: A..B, which it must cover")] = "",
    require: Annotated[list[str], typer.Option(
        metavar="FRAMEWORK:ID", help="bundle: a control that must have fresh evidence")] = [],
    max_bundle_age: Annotated[str, typer.Option(help="bundle: such as 24h")] = "",
    max_control_age: Annotated[str, typer.Option(help="bundle: such as 90d")] = "",
    as_json_: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Check signatures, tree, order, files and report, offline. Exit codes: docs/evidence.md."""
    ages = (_age(max_bundle_age), _age(max_control_age))
    options = Options(trust, pin, period, tuple(require), *ages)
    path = Path(what)
    with border():
        if path.is_file():
            code = _bundle(path, options, as_json_=as_json_)
        elif options != Options(trust) or path.suffix == ".zip":
            raise SpecError(f"no bundle '{what}'", hint="a ZIP of `holdfast evidence export`")
        else:
            code = _run(what, trust, as_json_=as_json_)
    raise typer.Exit(code)


def _bundle(path: Path, options: Options, *, as_json_: bool) -> int:
    try:
        found = verify_file(path, options, datetime.now(UTC))  # noqa: TID251 - the reader's time
    except EvidenceError as error:
        raise SpecError(str(error)) from error
    if as_json_:
        typer.echo(as_json(found, path.name))
    else:
        for line in said(found, path.name):
            out.print(line, markup=False)
    return found.exit_code


def _run(run: str, trust: Path | None, *, as_json_: bool) -> int:
    from holdfast.steps.evidence import check_run
    from holdfast.wiring import ports

    believed = None if trust is None else read_folder(trust)
    found = check_run(ports(settings()), run, believed)
    troubles = [*([NO_TRUST] if trust is None else []), *found.troubles]
    code = exit_code(troubles)
    if as_json_:
        typer.echo(json.dumps({
            "run": run, "ok": code == 0, "exit_code": code, "log_size": found.log_size,
            "records": found.records, "artefacts": found.artefacts,
            "troubles": [{**asdict(t), "exit_code": t.exit_code} for t in troubles],
            "notes": list(found.notes),
        }, indent=1))
        return code
    for line in (*map(str, troubles), *(f"note: {note}" for note in found.notes)):
        out.print(plain(line), markup=False)
    word = "FAILED" if found.troubles else "OK" if trust else "INTEGRITY ONLY"
    out.print(f"{word} {run}: {found.records} records of a log of {found.log_size}, "
              f"{found.artefacts} files", markup=False)
    return code


def _age(text: str) -> timedelta | None:
    try:
        return age(text) if text else None
    except argparse.ArgumentTypeError as error:
        raise typer.BadParameter(str(error)) from error
