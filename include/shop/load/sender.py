"""Send requests at a set rate, whether or not earlier ones were answered."""

import asyncio
import ssl
import time
from contextlib import AsyncExitStack
from random import Random
from typing import Self

import aiohttp

from shop.load.figures import Figures
from shop.load.history import History, Invocation, Processes
from shop.load.operations import Request, pick
from shop.load.outcome import Outcome, of_answer, of_error
from shop.load.raises import Raises

_CLIENT_SECONDS = 3.0


def _now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Load:
    """The customers of one shop: open loop, so a slow shop gets as many requests as a fast one."""

    def __init__(self, history: History, figures: Figures, raises: Raises) -> None:
        self._history, self._figures, self._raises = history, figures, raises
        self._processes = Processes(first=history.lines)  # none of an earlier load's
        self._chance = Random()  # noqa: S311 - which product, not a secret
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, doors: "Doors", rate: float) -> None:
        """Send for ever: what is late is sent at once, and nothing waits for an answer."""
        intended = _now()
        while True:
            task = asyncio.create_task(self._operate(doors, pick(self._chance), intended))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            intended += int(1e9 / (rate * self._raises.factor()))
            await asyncio.sleep(max(0, intended - _now()) / 1e9)

    async def _operate(self, doors: "Doors", request: Request, intended: int) -> None:
        operation = Invocation(
            self._processes.take(), request.f, request.value, _now(), intended
        )
        self._history.invoke(operation)
        self._figures.in_flight.inc()
        outcome = await doors.send(request)
        now = _now()
        self._history.complete(operation, outcome, now)
        self._processes.give_back(operation.process, outcome)
        self._figures.in_flight.dec()
        self._figures.done(request.f, outcome.type, (now - intended) / 1e9)


class Doors:
    """The shop's two doors: a plain one, and one with TLS that shows its certificate each time."""

    def __init__(self, plain: str, secure: str, tls: ssl.SSLContext) -> None:
        self._plain, self._secure, self._tls = plain, secure, tls
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        limit = aiohttp.ClientTimeout(total=_CLIENT_SECONDS)
        self._http = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=limit)
        )
        # A connection for each request: one that is kept would never see another certificate.
        once = aiohttp.TCPConnector(limit=0, force_close=True, ssl=self._tls)
        self._https = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=once, timeout=limit)
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    async def wait(self) -> None:
        """Wait until the shop opens: one that never opened did not fail."""
        while True:
            try:
                async with self._http.get(f"{self._plain}/ready") as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)

    async def send(self, request: Request) -> Outcome:
        """Send one request and tell what became of it."""
        http, base = (
            (self._https, self._secure) if request.secure else (self._http, self._plain)
        )
        began = time.monotonic()
        try:
            async with http.request(
                request.method, base + request.path, json=request.body, headers=request.headers
            ) as response:
                await response.read()
        except aiohttp.ClientConnectorError as error:
            return of_error(error, sent=False)
        except (aiohttp.ClientError, TimeoutError) as error:
            return of_error(error, sent=request.method != "GET")
        refused = response.headers.get("x-shop-written") == "no" or request.method == "GET"
        return of_answer(response.status, refused, time.monotonic() - began)
