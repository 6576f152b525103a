"""`holdfast controls`: what frameworks ask, and what runs have shown of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, settings
from holdfast.controls.coverage import gaps as open_gaps
from holdfast.errors import SpecError
from holdfast.model.control import Control, Standing, State
from holdfast.spec.problems import nearest
from holdfast.steps.catalogues import catalogue
from holdfast.steps.coverage import standings

app = typer.Typer(help="What frameworks ask, and what runs have shown.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="for programs")]
_Framework = Annotated[str, typer.Option(help="such as dora or nist-800-53r5")]
_Days = Annotated[int, typer.Option(min=1, max=3650, help="evidence older than this is stale")]
_Service = Annotated[str, typer.Option(help="this service only")]
DISCLAIMER = "It supports evidence for controls. Whether one is met is for people to judge."


@app.command(name="list")
def list_controls(
    framework: Annotated[str, typer.Option(help="only this one")] = "", as_json: _Json = False
) -> None:
    """List the controls that suites may name."""
    with border():
        known = catalogue()
        names = sorted({c.framework for c in known.values()})
        if framework and framework not in names:
            raise SpecError(f"unknown framework '{framework}'", where="--framework",
                            hint=nearest(framework, names))
        found = [c for c in known.values() if framework in ("", c.framework)]
        if as_json:
            typer.echo(json.dumps([_control(c) for c in found], indent=1))
            return
        for control in found:
            out.print(f"{control.name:44} {control.strength:10} {control.title}", markup=False)


@app.command()
def show(control: str, as_json: _Json = False) -> None:
    """Show what one control asks, which fault or test serves, and what must be seen."""
    with border():
        known = catalogue()
        found = known.get(control.lower())
        if found is None:
            raise SpecError(f"unknown control '{control}'", hint=nearest(control.lower(), known))
        if as_json:
            typer.echo(json.dumps(_control(found), indent=1))
            return
        out.print(f"{found.name}: {found.title}", markup=False)
        for word, said in (
            ("it asks", found.meaning), ("what serves", found.fault_or_test),
            ("must show", found.must_show), ("review", found.review),
            ("stale after", f"{found.max_age_days} days"), ("a run is", found.strength),
        ):
            out.print(f"  {word:12} {said}", markup=False)


@app.command()
def coverage(
    framework: _Framework, days: _Days = 365, service: _Service = "", as_json: _Json = False
) -> None:
    """Show how each control of a framework stands, service by service."""
    with border():
        _tell(standings(wiring.ports(settings()), framework, days, service), as_json=as_json)


@app.command()
def gaps(
    framework: _Framework, days: _Days = 365, service: _Service = "", as_json: _Json = False
) -> None:
    """Show what is failing, stale, without evidence or shown in part, the gravest first."""
    with border():
        found = standings(wiring.ports(settings()), framework, days, service)
        _tell(open_gaps(found), as_json=as_json)


@app.command()
def lint(
    files: Annotated[list[Path], typer.Argument(help="OSCAL documents that belong together")],
) -> None:
    """Look in OSCAL documents for what their schema does not see: links, order, states."""
    from holdfast.oscal.lint import lint as defects_of
    from holdfast.oscal.words import control_ids

    with border():
        contents = {file.name: file.read_bytes() for file in files}
        found = defects_of(contents, control_ids(catalogue().values()))
    for defect in found:
        out.print(f"{defect.code} {defect.where}: {defect.text}", markup=False)
    out.print(f"{len(found) or 'no'} defects in {len(files)} documents", markup=False)
    raise typer.Exit(1 if found else 0)


def _tell(found: Sequence[Standing], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_standing(s) for s in found], indent=1))
        return
    for standing in found:
        due = f"  due {standing.due}" if standing.due else ""
        out.print(f"{standing.state:16} {standing.control.name:40} {standing.service}{due}",
                  markup=False)
        records = ", ".join(map(str, standing.records[:8]))
        out.print(f"{'':16} {standing.reason}" + (f" (records {records})" if records else ""),
                  markup=False)
    counts = {state: sum(s.state is state for s in found) for state in State}
    out.print(", ".join(f"{n} {state}" for state, n in counts.items() if n) or "nothing",
              markup=False)
    out.print(DISCLAIMER, markup=False)


def _control(control: Control) -> dict[str, object]:
    return {
        "control": control.name, "title": control.title, "meaning": control.meaning,
        "fault_or_test": control.fault_or_test, "must_show": control.must_show,
        "review": control.review, "max_age_days": control.max_age_days,
        "strength": control.strength,
    }


def _standing(standing: Standing) -> dict[str, object]:
    return {
        "control": standing.control.name, "service": standing.service, "state": standing.state,
        "reason": standing.reason, "records": list(standing.records),
        "due": standing.due.isoformat() if standing.due else None,
    }
