"""`holdfast check`: judge a history file, of this program or of another."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from holdfast.cli.border import border, err, out
from holdfast.errors import SpecError
from holdfast.model.witness import Witness
from holdfast.ports.checkers import Checked
from holdfast.steps.histories import Asked, Ready, read

checker_app = typer.Typer()
_LARGE = 16 << 20
"""Files from this many bytes on show how far their reading is."""


@checker_app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a history file")],
    checker: Annotated[str, typer.Option(help="how to judge it; by its content if unsaid")] = "",
    model: Annotated[str, typer.Option(help="the consistency model it must hold")] = "",
    form: Annotated[str, typer.Option(
        "--format", help="its format: awdit, edn, jepsen_log, json, jsonl, npz or plume; by its "
        "content if unsaid")] = "",
    budget: Annotated[int | None, typer.Option(min=1, help="steps a search may take")] = None,
    option: Annotated[list[str], typer.Option(help="NAME=VALUE for the checker")] = [],
    save: Annotated[Path | None, typer.Option(help="keep its columns here (npz)")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="draw the first witness of an anomaly here (SVG)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Judge a history file: exit 0 valid, 1 invalid or unknown, 2 the file or the arguments."""
    with border():
        told = _told(option) | ({"model": model} if model else {}) | (
            {"budget": budget} if budget is not None else {})
        with _progress(file) as advance:
            ready = read(Asked(file, checker, form, told), advance)
        if save is not None:
            from holdfast.history.store import save as keep

            keep(ready.opened.history, save)
        checked = ready.judge()
        if picture is not None:
            _draw(checked, picture)
    if as_json:
        typer.echo(json.dumps(as_told(file, ready, checked), indent=1))
    else:
        for line in as_text(file, ready, checked):
            out.print(line, markup=False)
    raise typer.Exit(0 if checked.outcome == "valid" else 1)


def _draw(checked: Checked, picture: Path) -> None:
    from holdfast.reports._witness import svg

    witnesses: Sequence[Any] = checked.details.get("witnesses", ())
    drawn = next(filter(None, (svg(Witness.model_validate(w)) for w in witnesses)), "")
    if drawn:
        _write(picture, drawn)
    else:
        err.print(f"no picture: {'no witness is short enough' if witnesses else 'no witness'}")


def _write(picture: Path, drawn: str) -> None:
    try:
        picture.write_text(drawn)
    except OSError as error:
        raise SpecError(f"it cannot be written: {error.strerror}", where=str(picture),
                        hint="name a file in a folder that is there") from error


def as_told(file: Path, ready: Ready, checked: Checked) -> dict[str, Any]:
    """All that was found, for programs."""
    faults = ready.faults()
    return {
        "verdict": checked.outcome, "text": checked.text, "checker": ready.name,
        "options": ready.options.model_dump(mode="json"), "anomalies": _anomalies(checked),
        "seen": {**checked.counts, **({"faults": faults} if faults else {})},
        "details": dict(checked.details), "file": str(file), "format": ready.opened.format,
        "digest": f"sha256:{ready.opened.digest}",
        "about": ready.about.model_dump(mode="json", exclude_defaults=True),
    }


def as_text(file: Path, ready: Ready, checked: Checked) -> Iterator[str]:
    """The same for people."""
    yield f"{checked.outcome.upper()} {file} ({ready.name}): {checked.text}"
    if checked.counts:
        yield "seen: " + _figures(checked.counts)
    for fault, times in ready.faults().items():
        for when, counts in times.items():
            yield f"  {when} {fault}: {_figures(counts)}"
    for name, told in _anomalies(checked).items():
        yield f"{name}: {told['count']}"
        yield from (f"  {word}: {told[word]}" for word in ("first", "worst") if word in told)
    for name, detail in checked.details.items():
        yield from _detail(name, detail)


def _anomalies(checked: Checked) -> dict[str, dict[str, Any]]:
    return {
        name: {"count": checked.counts.get(name, len(places)), "first": places[0],
               **({"worst": checked.worst[name]} if name in checked.worst else {})}
        for name, places in checked.anomalies.items() if places
    }


def _figures(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())


def _detail(name: str, detail: Any) -> Iterator[str]:
    said = name.replace("_", " ")
    if name == "witnesses":
        for witness in detail:
            yield from Witness.model_validate(witness).text.splitlines()
    elif isinstance(detail, Mapping):
        yield f"{said}: " + ", ".join(f"{key} {value}" for key, value in detail.items())
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        yield f"{said}: " + ", ".join(map(str, detail))
    else:
        yield f"{said}: {detail}"


def _told(options: Sequence[str]) -> dict[str, Any]:
    told = {}
    for text in options:
        name, equals, value = text.partition("=")
        if not equals:
            raise SpecError(f"'{text}' is no option", where="--option", hint="NAME=VALUE")
        try:
            told[name.replace("-", "_")] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise SpecError(f"'{value}' is no value", where=f"--option {name}") from error
    return told


@contextmanager
def _progress(file: Path) -> Iterator[Any]:
    """A bar on a terminal, while a large file is read."""
    from rich.progress import Progress

    size = file.stat().st_size if file.is_file() else 0
    if size < _LARGE or not err.is_terminal:
        yield lambda _: None
        return
    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(f"reading {file.name}", total=size)
        yield lambda count: bar.advance(task, count)
