"""`holdfast workload`: send what a checker can judge to a database, and write down what becomes."""

import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out, settings
from holdfast.clients.connections import connection
from holdfast.clock import SystemClock
from holdfast.errors import CheckError, SpecError
from holdfast.model.quantities import parse_duration
from holdfast.workloads._pace import ISOLATIONS, Pace
from holdfast.workloads._run import WORKLOADS, Asked, run

workloads = typer.Typer()
_ISOLATION, _PAUSE = "serializable", "2ms"


@workloads.command()
def workload(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"one of: {', '.join(WORKLOADS)}")],
    connection_id: Annotated[str, typer.Option("--connection", help="id of a postgres or redis")],
    history: Annotated[Path, typer.Option(metavar="FILE", help="a new file, JSONL")],
    isolation: Annotated[
        str | None, typer.Option(help=", ".join(ISOLATIONS), show_default=_ISOLATION)] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="operations a second")] = 50.0,
    clients: Annotated[int, typer.Option(min=1, max=200, help="sessions")] = 8,
    seed: Annotated[int, typer.Option(help="the same seed sends the same operations")] = 1,
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="how long")] = "60s",
    pause: Annotated[
        str | None,
        typer.Option(help="between the statements of a transaction", show_default=_PAUSE)] = None,
) -> None:
    """Send a workload until its time is over, or SIGTERM or Ctrl-C; then read everything back.

    It writes to a schema of its own, or on a redis to keys of its own, made at the start and
    dropped at the end; on a postgres the login needs CREATE on the database. Then: holdfast check
    FILE.
    """
    with border():
        level = isolation or _ISOLATION
        if level not in ISOLATIONS:
            raise SpecError(f"unknown isolation '{level}'", where="--isolation",
                            hint=f"one of {', '.join(ISOLATIONS)}")
        entry = connection(settings().connections, connection_id)
        if entry.type == "redis":
            _refuse({"--isolation": isolation, "--pause": pause})
        span, rest = _seconds("--for", for_), _seconds("--pause", pause or _PAUSE)
        pace = Pace(rate, clients, span, level, rest)
        ended = run(Asked(kind, seed, pace, history), entry, _told_to_stop(), SystemClock())
        told = ", ".join(f"{ended.outcomes.get(name, 0)} {name}" for name in ("ok", "fail", "info"))
        out.print(f"{sum(ended.outcomes.values())} operations: {told}", markup=False)
        out.print(f"judge it: holdfast check {history}", markup=False)
        if ended.unread:
            raise CheckError(f"{ended.unread} of {ended.last} last reads were not answered")


def _refuse(options: Mapping[str, str | None]) -> None:
    for option, given in options.items():
        if given is not None:
            raise SpecError(f"{option} is for a postgres", where=option,
                            hint="leave it out: on a redis each operation is one command")


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise SpecError(str(error), where=option) from error


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
