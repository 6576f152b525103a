"""Ask an HTTP end point for an indicator: whether it answers well, how soon, or with what number.

Every question takes a connection of its own, as a new user would: behind a balancer a connection
that stays would ask only one instance.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from math import inf, isnan
from typing import Any

import aiohttp

from holdfast.clients.connections import Connection, authorization
from holdfast.clients.polling import REQUEST_SECONDS
from holdfast.clock import Clock
from holdfast.model.indicator import Indicator, Measure
from holdfast.ports.metrics import Sample

MOST_BYTES = 256 * 1024
"""Of an answer, no more than this is read."""
_INDEX = r"[0-9]{1,6}"


class HttpTalker:
    """One end point."""

    def __init__(self, at: Connection, clock: Clock) -> None:
        self.name, self._at, self._clock = at.id, at, clock
        self._session = aiohttp.ClientSession(
            headers=authorization(at.login, at.password),
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        )

    async def ask(self, question: Indicator) -> Sample:
        """Send one GET, and read from the answer what the indicator asks for."""
        begun = time.monotonic()
        url = self._at.url.rstrip("/") + (question.path or "/")
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                body = await _read(answer)
                status = answer.status
        except TimeoutError:
            return self._unanswered(question, f"no answer in {REQUEST_SECONDS:g} s", late=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._unanswered(question, f"{error or type(error).__name__}")
        if status != question.right_status:
            why = f"status {status} instead of {question.right_status}"
            return self._unanswered(question, why)
        if body is None:
            return self._unanswered(question, f"more than {MOST_BYTES} bytes")
        return self._answered(question, body, time.monotonic() - begun)

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    def _answered(self, question: Indicator, body: bytes, seconds: float) -> Sample:
        if question.field is not None:
            value, why = number_at(body, question.field)
            return self._sample(value, why and f"{self._name(question)}: {why}")
        return self._sample(seconds if question.measure is Measure.LATENCY else 1.0)

    def _unanswered(self, question: Indicator, why: str, *, late: bool = False) -> Sample:
        """A bad answer is 0 where success is asked for; none at all in time took for ever."""
        why = f"{self._name(question)}: {why}"
        if question.field is None and question.measure is not Measure.LATENCY:
            return self._sample(0.0, why)
        is_late = late and question.measure is Measure.LATENCY
        return self._sample(inf if is_late else None, why)

    def _name(self, question: Indicator) -> str:
        return f"GET {question.path or '/'} at {self.name}"

    def _sample(self, value: float | None, why: str = "") -> Sample:
        return Sample(value, self._clock.now().timestamp(), why)


def number_at(body: bytes, field: str) -> tuple[float | None, str]:
    """The number at `field` of a JSON text, and why there is none; true is 1, false is 0."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None, "the answer is not JSON"
    for step in field.split("."):
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, Sequence) and re.fullmatch(_INDEX, step) and int(step) < len(found):
            found = found[int(step)]
        else:
            return None, f"the answer has no '{field}'"
    if not isinstance(found, int | float):
        return None, f"'{field}' is no number"
    try:
        value = float(found)
    except OverflowError:
        return None, f"'{field}' is too large"
    return (None, f"'{field}' is not a number") if isnan(value) else (value, "")


async def _read(answer: aiohttp.ClientResponse) -> bytes | None:
    """The whole body; None when it is too long."""
    parts, size = [], 0
    async for part in answer.content.iter_chunked(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            return None
    return b"".join(parts)
