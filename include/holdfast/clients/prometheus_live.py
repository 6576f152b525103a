"""Ask Prometheus from the triggerer's loop: one session per source, equal queries asked once."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import isnan
from typing import Any

import aiohttp

from holdfast.clients.connections import Connection
from holdfast.clock import Clock, SystemClock
from holdfast.ports.metrics import LiveMetrics, Sample

REQUEST_SECONDS = 2.0
"""A request is given up after this; a guard waits less, and may still use the answer next tick."""


@dataclass(frozen=True, slots=True)
class Source:
    """A Prometheus and how to log in there."""

    url: str
    login: str = ""
    password: str = field(default="", repr=False)


def source(connection: Connection) -> Source:
    """The source that a connection of type http names."""
    return Source(connection.url, connection.login, connection.password)


@asynccontextmanager
async def prometheus_live(at: Source, patience: float,
                          clock: Clock | None = None) -> AsyncIterator[LiveMetrics]:
    """Metrics of one source, shared in this loop by all guards; closed by the last.

    `patience` is how many seconds one call waits: what has not been answered by then is no data.
    """
    key = (asyncio.get_running_loop(), at)
    poller = _pollers.get(key)
    if poller is None:
        poller = _pollers[key] = _Poller(at, clock or SystemClock())
    poller.users += 1
    try:
        yield _Asker(poller, patience)
    finally:
        poller.users -= 1
        if poller.users == 0:
            del _pollers[key]
            await poller.close()


def sample_of(body: object, now: float) -> Sample:
    """Read an answer of `/api/v1/query`: exactly one number, else no data and why."""
    try:
        return _read(body, now)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return Sample(None, now, "the answer is not one of Prometheus's API")


class _Poller:
    """The requests of one source; a query that is in flight is not asked again."""

    def __init__(self, at: Source, clock: Clock) -> None:
        self.users, self._clock = 0, clock
        self._in_flight: dict[str, asyncio.Task[Sample]] = {}
        self._url = at.url.rstrip("/") + "/api/v1/query"
        self._session = aiohttp.ClientSession(
            headers=_login(at),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        )

    def ask(self, query: str) -> "asyncio.Task[Sample]":
        """The request for a query, under way or new."""
        task = self._in_flight.get(query)
        if task is None:
            task = self._in_flight[query] = asyncio.create_task(self._fetch(query))
            task.add_done_callback(lambda _: self._in_flight.pop(query, None))
        return task

    def date(self) -> float:
        """Unix seconds."""
        return self._clock.now().timestamp()

    async def close(self) -> None:
        """Give up what is in flight and close the session."""
        for task in list(self._in_flight.values()):
            task.cancel()
        await self._session.close()

    async def _fetch(self, query: str) -> Sample:
        try:
            async with self._session.get(
                self._url, params={"query": query}, allow_redirects=False
            ) as answer:
                body = await answer.json(content_type=None)
        except TimeoutError:
            return Sample(None, self.date(), f"Prometheus gave no answer in {REQUEST_SECONDS:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Sample(None, self.date(), f"Prometheus could not be asked: {error}")
        return sample_of(body, self.date())


@dataclass(frozen=True, slots=True)
class _Asker:
    """One guard's view of a poller."""

    poller: _Poller
    patience: float

    async def now(self, queries: Sequence[str]) -> Mapping[str, Sample]:
        tasks = {query: self.poller.ask(query) for query in queries}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self.patience)
        return {query: self._result(task) for query, task in tasks.items()}

    def _result(self, task: "asyncio.Task[Sample]") -> Sample:
        if task.done() and not task.cancelled():
            return task.result()
        why = f"Prometheus gave no answer in {self.patience:g} s"
        return Sample(None, self.poller.date(), why)


def _login(at: Source) -> dict[str, str]:
    if not at.login:
        return {}
    pair = b64encode(f"{at.login}:{at.password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _read(body: Any, now: float) -> Sample:
    if body["status"] != "success":
        return Sample(None, now, f"Prometheus refused: {body.get('error', body['status'])}")
    data = body["data"]
    if data["resultType"] not in {"vector", "scalar"}:
        return Sample(None, now, f"the query gives a {data['resultType']}, not one number")
    found = data["result"]
    if data["resultType"] == "vector":
        if len(found) != 1:
            return Sample(None, now, f"{len(found) or 'no'} series instead of one")
        found = found[0]["value"]
    at, value = float(found[0]), float(found[1])
    return Sample(None, at, "the value is not a number") if isnan(value) else Sample(value, at)


_pollers: dict[tuple[asyncio.AbstractEventLoop, Source], _Poller] = {}
