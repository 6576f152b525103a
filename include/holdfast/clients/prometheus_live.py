"""Ask Prometheus from the triggerer's loop: one session per source."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import isnan
from typing import Any

import aiohttp

from holdfast.clients import promql
from holdfast.clients.connections import Connection, authorization
from holdfast.clients.polling import REQUEST_SECONDS, polling
from holdfast.clients.promql import NO_SERIES, age_of, fresh, parameters, too_old
from holdfast.clock import Clock, SystemClock
from holdfast.ports.metrics import LiveMetrics, Sample


@dataclass(frozen=True, slots=True)
class Source:
    """A Prometheus and how to log in there; its samples older than `max_age` are no data."""

    url: str
    login: str = ""
    password: str = field(default="", repr=False)
    max_age: float | None = None


def source(connection: Connection, max_age: float | None = None) -> Source:
    """The source that a connection of type http names."""
    return Source(connection.url, connection.login, connection.password, max_age)


@asynccontextmanager
async def prometheus_live(at: Source, patience: float,
                          clock: Clock | None = None) -> AsyncIterator[LiveMetrics]:
    """Metrics of one source, shared in this loop by all guards; closed by the last."""
    own = clock or SystemClock()
    async with polling(at, lambda: _Prometheus(at, own), patience, own) as metrics:
        yield metrics


def sample_of(body: object, now: float) -> Sample:
    """Read an answer of `/api/v1/query`: exactly one number, else no data and why."""
    try:
        return _read(body, now)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return Sample(None, now, "the answer is not one of Prometheus's API")


class _Prometheus:
    """The session of one source."""

    name = "Prometheus"

    def __init__(self, at: Source, clock: Clock) -> None:
        self._at, self._clock = at, clock
        self._url = at.url.rstrip("/") + "/api/v1/query"
        self._session = aiohttp.ClientSession(
            headers=authorization(at.login, at.password),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        )

    async def ask(self, question: str) -> Sample:
        """Ask for a query's value; where it is only too old, for its age."""
        max_age = self._at.max_age
        sample = await self._fetch(question, max_age)
        if sample.why != NO_SERIES or fresh(question, max_age) == question:
            return sample
        age = await self._fetch(age_of(question), None)
        if age.value is None or age.value <= (max_age or 0.0):
            return sample
        return Sample(None, sample.at, too_old(age.value, max_age))

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def _fetch(self, query: str, max_age: float | None) -> Sample:
        try:
            async with self._session.get(
                self._url, params=parameters(query, max_age), allow_redirects=False
            ) as answer:
                body = await answer.json(content_type=None)
        except TimeoutError:
            return Sample(None, self._date(), f"Prometheus gave no answer in {REQUEST_SECONDS:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Sample(None, self._date(), f"Prometheus could not be asked: {error}")
        return sample_of(body, self._date())

    def _date(self) -> float:
        return self._clock.now().timestamp()


def _read(body: Any, now: float) -> Sample:
    if body["status"] != "success":
        return Sample(None, now, f"Prometheus refused: {body.get('error', body['status'])}")
    data = body["data"]
    if data["resultType"] not in {"vector", "scalar"}:
        return Sample(None, now, f"the query gives a {data['resultType']}, not one number")
    found = data["result"]
    if data["resultType"] == "vector":
        return promql.sample_of(found, now)
    at, value = float(found[0]), float(found[1])
    return Sample(None, at, "the value is not a number") if isnan(value) else Sample(value, at)
