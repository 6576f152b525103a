"""new: draft a first suite for one's own system, from answers or from flags."""

import getpass
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out, settings
from holdfast.clients.connections import connection
from holdfast.clients.prometheus import PrometheusMetrics
from holdfast.errors import CheckError, SpecError
from holdfast.model.quantities import NAME, parse_duration
from holdfast.model.suite import Selector
from holdfast.spec.draft import FIRST, Draft, Service, draft, service_of
from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from holdfast.spec.vocabularies import VOCABULARIES, spoken

new_app = typer.Typer()
_NEXT = {
    "plan": "what it would hit now", "watch": "the guard without a fault", "run": "with Airflow up",
}
_KINDS = tuple(Selector.model_fields)
_MATCHER = r'[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"([^"\\\n]|\\.)*"'


@new_app.command()
def new(
    name: Annotated[str, typer.Argument(help="what the suite is called")],
    service: Annotated[
        list[str], typer.Option(help="NAME=KIND:ADDRESS; may be repeated; asked for when missing")
    ] = [],
    metrics: Annotated[
        str, typer.Option(help=f"whose metric names: {', '.join(VOCABULARIES)}; else found out")
    ] = "",
    prometheus: Annotated[
        str, typer.Option(help="connection id of the Prometheus that sees the target")
    ] = "prometheus_default",
    labels: Annotated[
        str, typer.Option(help='label matchers for every query, such as job="api"')
    ] = "",
    window: Annotated[str, typer.Option(help="of rates; four scrapes or more")] = "1m",
    grace: Annotated[str, typer.Option(help="how long the guard may see nothing")] = "30s",
    environment: Annotated[str, typer.Option(help="what the target is called")] = "staging",
    owner: Annotated[str, typer.Option(help="who looks after it; you by default")] = "",
    output: Annotated[
        Path | None, typer.Option(help="the file; experiments/NAME.suite.yaml")
    ] = None,
) -> None:
    """Draft a suite: one gentle fault for each service, objectives in your metrics' own names."""
    with border():
        where = settings()
        if not re.fullmatch(NAME, name):
            raise SpecError(f"'{name}' is not a name", hint="lower-case letters, digits, hyphens")
        file = output or where.experiments / f"{name}.suite.yaml"
        if file.exists():
            raise SpecError("it is there already", where=str(file), hint="choose another --output")
        if not file.parent.is_dir():
            raise SpecError("there is no such folder", where=str(file.parent), hint="make it first")
        services = [service_of(text, _KINDS) for text in service] or _ask_services()
        said = Draft(
            name=name, owner=owner or getpass.getuser(), environment=environment,
            services=services, vocabulary=metrics or _found_out(prometheus),
            selector=_matchers(labels), window=_length(window, "--window"),
            grace=_length(grace, "--grace"), prometheus=prometheus,
        )
        called = str(output) if output else name
        _write(file, draft(said, called))
        out.print(f"{file}: {name}, drafted; it is valid, read it before you run it", markup=False)
        for command, what in _NEXT.items():
            out.print(f"  holdfast {command} {called:<20} {what}".rstrip(), markup=False)


def _length(text: str, flag: str) -> str:
    try:
        parse_duration(text)
    except ValueError as error:
        raise SpecError(f"'{text}': {error}", where=flag) from error
    return text


def _matchers(text: str) -> str:
    """Label matchers and nothing else: they go into every query as they are."""
    if text and not re.fullmatch(rf"{_MATCHER}(\s*,\s*{_MATCHER})*", text):
        raise SpecError(f"'{text}' is no list of label matchers", where="--labels",
                        hint="such as job=\"api\",zone=~\"eu-.*\"")
    return text


def _write(file: Path, text: str) -> None:
    """Keep the draft only when it is a suite; else say what is wrong with what was said."""
    try:
        load_text(text, "draft")
    except SpecErrors as wrong:
        first = wrong.errors[0]
        raise SpecError(f"what was said makes no suite: {first.message}", hint=first.hint) \
            from wrong
    file.write_text(text)


def _found_out(prometheus: str) -> str:
    """Ask Prometheus which names it knows."""
    known = ", ".join(VOCABULARIES)
    at = connection(settings().connections, prometheus)
    try:
        found = spoken(PrometheusMetrics(at.url, at.login, at.password).names())
    except CheckError as error:
        raise SpecError(
            f"which metrics there are could not be asked: {error}", where="--metrics",
            hint=f"say it: {known}",
        ) from error
    if not found:
        raise SpecError(
            f"{prometheus} has no metrics with names that are known here", where="--metrics",
            hint=f"draft with one of {known} and write the queries yourself",
        )
    out.print(f"metrics: {found[0]} ({VOCABULARIES[found[0]].what})", markup=False)
    return found[0]


def _ask_services() -> Sequence[Service]:
    """Ask a person; a pipe is told which flag is missing."""
    if not sys.stdin.isatty():
        raise SpecError("no service was named", where="--service", hint="NAME=KIND:ADDRESS")
    services: list[Service] = []
    while True:
        more = typer.prompt("service (empty when done)", default="", show_default=False)
        if not more and services:
            return services
        if more:
            kind = typer.prompt(f"kind of its address ({', '.join(FIRST)})")
            address = typer.prompt("its address (connection id, or pid files below .holdfast)")
            services.append(service_of(f"{more}={kind}:{address}", _KINDS))
