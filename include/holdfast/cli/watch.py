"""watch: guard a target without a fault, and say what would have ended one."""

import asyncio
import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out, settings
from holdfast.cli.files import suite_file
from holdfast.clients.command_probe import program
from holdfast.clients.connections import connection
from holdfast.clients.indicators import Places, indicators_live
from holdfast.clients.prometheus_live import Source
from holdfast.clock import SystemClock
from holdfast.errors import CheckError, GuardTripped, SpecError
from holdfast.model.lease import Reason, Revocation
from holdfast.model.quantities import parse_duration
from holdfast.model.suite import Suite
from holdfast.safety.conditions import Watch, watch_of
from holdfast.settings import Settings
from holdfast.spec.load import load_suite
from holdfast.steps.indicate import needs_prometheus
from holdfast.steps.rehearse import Overheard, Rehearsal, rehearse
from holdfast.steps.watch import questions

watcher = typer.Typer()
_EVERY_SECONDS = 2.0
_PATIENCE = 0.4  # as the guard's


@watcher.command()
def watch(
    suite: Annotated[Path, typer.Argument(help="a file, or the name of a suite in experiments/")],
    only: Annotated[list[str], typer.Option(help="as for this experiment; may be repeated")] = [],
    for_: Annotated[str, typer.Option("--for", help="how long; until Ctrl-C by default")] = "",
    prometheus: Annotated[
        str, typer.Option(help="ask this address, not the suite's connection")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="the summary as JSON only")] = False,
) -> None:
    """Guard the target as if a fault were on, without one; exit code 4 if it would have ended."""
    with border():
        loaded = load_suite(suite_file(suite, settings()))
        tasks = _tasks(loaded.suite, only)
        seconds = _seconds(for_)
        places = _places(loaded.suite, prometheus)
        seen = asyncio.run(_watch(loaded.suite, tasks, places, seconds, quiet=as_json))
        if as_json:
            out.print_json(json.dumps([_plain(r) for r in seen]))
        else:
            _summarise(seen)
        ended = [f"{r.name}: {s.text}" for r in seen for s in r.ended]
        if ended:
            raise GuardTripped("a fault would have been ended: " + "; ".join(ended[:3]), {})
        blind = [r.name for r in seen if not r.renewals]
        if blind:
            raise CheckError(f"no fault could have begun, the objectives were not seen to hold "
                             f"together: {', '.join(blind[:3])}; holdfast plan, or a longer --for")


def _tasks(suite: Suite, only: Sequence[str]) -> Mapping[str, Watch]:
    known = {e.name: e for step in suite.rounds for e in step.experiments}
    for name in only:
        if name not in known:
            raise SpecError(f"unknown experiment '{name}'", where="--only",
                            hint=f"known: {', '.join(known)}")
    return {name: watch_of(suite, known[name], name) for name in only or known}


def _seconds(text: str) -> float:
    if not text:
        return float("inf")
    try:
        seconds = parse_duration(text).total_seconds()
    except ValueError as error:
        raise SpecError(str(error), where="--for") from error
    if not seconds:
        raise SpecError("no time is too short to see anything", where="--for")
    return seconds


def _places(suite: Suite, address: str) -> Places:
    """Where to ask; a source that is not known is said before anything is watched."""
    own, max_age = settings(), suite.guard.oldest.total_seconds()
    _check(suite, own, needs_prometheus(suite) and not address)
    if not address:
        return Places(own.connections, own.commands, suite.target.prometheus, max_age)
    if not address.startswith(("http://", "https://")) or "@" in address:
        raise SpecError(
            f"'{address.rpartition('@')[2]}' is no address", where="--prometheus",
            hint="such as http://127.0.0.1:9090; a login belongs into a connection",
        )
    return Places(own.connections, own.commands, Source(address, max_age=max_age), max_age)


def _check(suite: Suite, own: Settings, prometheus: bool) -> None:
    indicators = [o.indicator for o in suite.objectives]
    ids = [link for i in indicators if (link := i.http or i.sql)]
    for link in [*([suite.target.prometheus] if prometheus else []), *ids]:
        connection(own.connections, link)
    for indicator in indicators:
        if indicator.command is not None:
            program(own.commands, indicator.command[0])


async def look(suite: Suite, seconds: float) -> list[Rehearsal]:
    """Guard without a fault for so long, telling the readings; ends by itself."""
    return await _watch(suite, _tasks(suite, ()), _places(suite, ""), seconds, quiet=False)


async def _watch(
    suite: Suite, tasks: Mapping[str, Watch], places: Places, seconds: float, *, quiet: bool
) -> list[Rehearsal]:
    clock = SystemClock()
    patience = min(suite.guard.poll.total_seconds(), _PATIENCE)
    asked = [question for task in tasks.values() for question in questions(task)]
    async with indicators_live(places, asked, patience) as metrics:
        heard = Overheard(metrics)
        work = asyncio.ensure_future(
            rehearse(tasks, heard, clock, _nothing if quiet else _tell)
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, work.cancel)
        end = clock.boottime() + seconds
        while not work.done():
            left = end - clock.boottime()
            await asyncio.wait([work], timeout=max(0.0, min(_EVERY_SECONDS, left)))
            if left <= 0:
                work.cancel()
            elif not quiet:
                _readings(suite, heard)
        return await work


def _readings(suite: Suite, heard: Overheard) -> None:
    told = []
    for objective in suite.objectives:
        sample = heard.latest.get(objective.indicator.question())
        bound = objective.objective
        if sample is None or sample.value is None:
            told.append(f"{objective.name} no data ({sample.why if sample else 'not asked yet'})")
        else:
            mark = "" if bound.holds(sample.value) else " !"
            told.append(f"{objective.name} {bound.tell(sample.value)} ({bound}){mark}")
    out.print(f"{SystemClock().now():%H:%M:%S}  " + "  ".join(told), markup=False)


def _tell(name: str, said: Revocation) -> None:
    what = "would not have begun" if said.reason is Reason.NOT_STEADY else "would have been ended"
    out.print(f"{said.at[11:19]}  {name}: the fault {what}: {said.text}", markup=False)


def _nothing(_name: str, _said: Revocation) -> None:
    return


def _summarise(seen: Sequence[Rehearsal]) -> None:
    for one in seen:
        margin = "no margin seen" if one.margin is None else (
            f"lease margin {one.margin:.2f} s of {one.lease_seconds:g} s"
        )
        unsteady = sum(s.looks for s in one.spells if s.reason is Reason.NOT_STEADY)
        parts = [f"{one.renewals} renewals", margin]
        parts += [f"would have been ended {len(one.ended)} times"] if one.ended else []
        parts += [f"not steady at {unsteady} looks"] if unsteady else []
        out.print(f"{one.name}: {', '.join(parts)}", markup=False)


def _plain(one: Rehearsal) -> dict[str, object]:
    return {
        "experiment": one.name, "renewals": one.renewals, "lease_seconds": one.lease_seconds,
        "widest_gap_seconds": one.widest_gap, "lease_margin_seconds": one.margin,
        "spells": [
            {"reason": s.reason.value, "text": s.text, "at": s.at, "looks": s.looks}
            for s in one.spells
        ],
    }
