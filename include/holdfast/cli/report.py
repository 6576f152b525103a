"""report: give a run's report in the form that is asked for."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out, settings
from holdfast.errors import SpecError
from holdfast.model.run import Artefact
from holdfast.ports.bundle import Ports

reporter = typer.Typer()
LATEST = "latest"


class Form(StrEnum):
    """The forms a report comes in."""

    HTML = "html"
    PDF = "pdf"
    MD = "md"
    JSON = "json"
    JUNIT = "junit"


@reporter.command()
def report(
    run: Annotated[str, typer.Argument(help="a run's id, or 'latest'")],
    form: Annotated[Form, typer.Option("--format", help="what to give")] = Form.HTML,
    output: Annotated[
        Path | None, typer.Option(help="write it there; - is standard output")
    ] = None,
) -> None:
    """Give a run's report: print where it is kept, or write it to a file.

    A form that the run has not kept, such as that of a run that still goes on, is written from what
    is known now: to --output, else into the folder you are in. It is not signed.
    """
    with border():
        from holdfast.wiring import ports

        found = ports(settings())
        run_id = _known(found, run)
        kept = _kept(found, run_id, form)
        if kept is not None and output is None:
            out.print(str(found.artefacts.path(kept)), markup=False)
            return
        _give(_content(found, run_id, form, kept), output or Path(f"{run_id}.report.{form}"))


def _known(ports: Ports, run: str) -> str:
    """Give the run's id; SpecError with the latest ones if there is no such run."""
    latest = [r.id for r in ports.books.runs(5)]
    if run == LATEST and latest:
        return latest[0]
    if ports.books.run(run) is None:
        raise SpecError(
            f"there is no run '{run}'", where="RUN",
            hint=f"the latest: {', '.join(latest) or 'none'}",
        )
    return run


def _kept(ports: Ports, run_id: str, form: Form) -> Artefact | None:
    """Find the form that the run's report task wrote and signed."""
    names = {f"report.{form}", f"report.{form}.xml"}
    return next((a for a in ports.artefacts.of(run_id) if a.name in names), None)


def _content(ports: Ports, run_id: str, form: Form, kept: Artefact | None) -> bytes:
    if kept is not None:
        return ports.artefacts.path(kept).read_bytes()
    from holdfast.steps.report import render

    return render(ports, run_id, form)


def _give(content: bytes, to: Path) -> None:
    if str(to) == "-":
        sys.stdout.buffer.write(content)
        return
    if not to.parent.is_dir():
        raise SpecError(f"there is no folder {to.parent}", where="--output")
    to.write_bytes(content)
    out.print(str(to), markup=False)
