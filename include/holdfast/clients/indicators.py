"""Ask each indicator where it is measured: Prometheus, HTTP, SQL or a command."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.clients.command_probe import CommandTalker, program
from holdfast.clients.connections import connection
from holdfast.clients.http_probe import HttpTalker
from holdfast.clients.polling import REQUEST_SECONDS, Talker, polling
from holdfast.clients.prometheus_live import Source, prometheus_live, source
from holdfast.clients.sql_probe import SqlTalker
from holdfast.clock import Clock, SystemClock
from holdfast.errors import SpecError
from holdfast.model.indicator import Indicator, Question
from holdfast.ports.metrics import LiveMetrics, Sample

_Key = tuple[str, str]
"""What is asked, and the id of the connection or the name of the command."""
_MOST_SECONDS = 3 * REQUEST_SECONDS


@dataclass(frozen=True, slots=True)
class Places:
    """Where sources are found; `prometheus` is a connection id, or an address by itself."""

    connections: Path
    commands: Mapping[str, str] = field(default_factory=dict)
    prometheus: str | Source = "prometheus_default"
    max_age: float | None = None


@asynccontextmanager
async def indicators_live(
    places: Places, questions: Iterable[Question], patience: float
) -> AsyncIterator[LiveMetrics]:
    """A view of every source that these questions need, each shared with all who use it.

    A source that is not known has no data and says why: the guard's grace decides.
    """
    clock, askers = SystemClock(), dict[_Key, LiveMetrics]()
    async with AsyncExitStack() as opened:
        for key in dict.fromkeys(map(_key, questions)):
            try:
                place = await asyncio.to_thread(_found, places, key)
                askers[key] = await opened.enter_async_context(
                    prometheus_live(place, patience, clock) if isinstance(place, Source)
                    else polling((key[0], place.key), place.talk(clock), patience, clock)
                )
            except (SpecError, OSError) as error:
                askers[key] = _NoData(str(error), clock)
        yield _Indicators(askers)


def ask_now(places: Places, question: Indicator) -> Sample:
    """One answer, for tasks: they have no loop of their own."""

    async def ask() -> Sample:
        async with indicators_live(places, [question], _MOST_SECONDS) as metrics:
            return (await metrics.now([question]))[question]

    return asyncio.run(ask())


@dataclass(frozen=True, slots=True)
class _Place:
    """A source that is not Prometheus."""

    key: Hashable
    make: Callable[[Clock], Talker]

    def talk(self, clock: Clock) -> Callable[[], Talker]:
        return lambda: self.make(clock)


@dataclass(frozen=True, slots=True)
class _Indicators:
    """LiveMetrics of several sources."""

    askers: Mapping[_Key, LiveMetrics]

    async def now(self, questions: Sequence[Question]) -> Mapping[Question, Sample]:
        by_key: dict[_Key, list[Question]] = {}
        for question in questions:
            by_key.setdefault(_key(question), []).append(question)
        answers = await asyncio.gather(*(self.askers[k].now(q) for k, q in by_key.items()))
        return {question: sample for found in answers for question, sample in found.items()}


@dataclass(frozen=True, slots=True)
class _NoData:
    """Answers every question with no data."""

    why: str
    clock: Clock

    async def now(self, questions: Sequence[Question]) -> Mapping[Question, Sample]:
        date = self.clock.now().timestamp()
        return {question: Sample(None, date, self.why) for question in questions}


def _key(question: Question) -> _Key:
    if isinstance(question, str):
        return "prometheus", ""
    if question.command is not None:
        return "command", question.command[0]
    return ("http", question.http) if question.http is not None else ("sql", question.sql or "")


def _found(places: Places, key: _Key) -> Source | _Place:
    """Look up what a key names; reads files."""
    kind, name = key
    if kind == "command":
        path = program(places.commands, name)
        return _Place((name, path), lambda clock: CommandTalker(name, path, clock))
    if kind == "prometheus":
        if isinstance(places.prometheus, Source):
            return places.prometheus
        return source(connection(places.connections, places.prometheus), places.max_age)
    at = connection(places.connections, name)
    talker = HttpTalker if kind == "http" else SqlTalker
    return _Place(
        (name, at.url, at.login, at.password, at.schema, str(at.extra)),
        lambda clock: talker(at, clock),
    )
