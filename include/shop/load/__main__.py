"""Send requests at a set rate, whether or not earlier ones were answered.

`python -m shop.load HOME [RATE]`. Open loop: a slow shop gets as many requests as a fast one, and
latency counts from the time a request was meant to be sent.
"""

import asyncio
import sys
import time
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import web
from prometheus_client import generate_latest

from shop.load.figures import Figures
from shop.load.history import History, Invocation, Processes
from shop.load.operations import Request, pick
from shop.load.outcome import Outcome, of_answer, of_error
from shop.settled import HOST, Settled

RATE = 50.0
_CLIENT_SECONDS = 3.0


def _now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Load:
    """The customers of one shop."""

    def __init__(self, base: str, history: History, http: aiohttp.ClientSession) -> None:
        self._base, self._history, self._http = base, history, http
        self._processes = Processes(first=history.lines)  # none of an earlier load's
        self._chance = Random()  # noqa: S311 - which product, not a secret
        self.figures = Figures()
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, rate: float) -> None:
        """Send for ever: what is late is sent at once, and nothing waits for an answer."""
        interval = int(1e9 / rate)
        intended = _now()
        while True:
            task = asyncio.create_task(self._operate(pick(self._chance), intended))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            intended += interval
            await asyncio.sleep(max(0, intended - _now()) / 1e9)

    async def _operate(self, request: Request, intended: int) -> None:
        operation = Invocation(
            self._processes.take(), request.f, request.value, _now(), intended
        )
        self._history.invoke(operation)
        self.figures.in_flight.inc()
        outcome = await self._send(request)
        now = _now()
        self._history.complete(operation, outcome, now)
        self._processes.give_back(operation.process, outcome)
        self.figures.in_flight.dec()
        self.figures.done(request.f, outcome.type, (now - intended) / 1e9)

    async def _send(self, request: Request) -> Outcome:
        began = time.monotonic()
        try:
            async with self._http.request(
                request.method, self._base + request.path, json=request.body
            ) as response:
                await response.read()
        except aiohttp.ClientConnectorError as error:
            return of_error(error, sent=False)
        except (aiohttp.ClientError, TimeoutError) as error:
            return of_error(error, sent=request.method != "GET")
        refused = response.headers.get("x-shop-written") == "no" or request.method == "GET"
        return of_answer(response.status, refused, time.monotonic() - began)


async def _wait_for_shop(http: aiohttp.ClientSession, url: str) -> None:
    """Wait for the first customers' door to open: a shop that never opened did not fail."""
    while True:
        try:
            async with http.get(url) as response:
                if response.status == 200:
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.1)


async def _serve(load: Load, port: int) -> None:
    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(load.figures.registry), content_type="text/plain")

    async def ready(_request: web.Request) -> web.Response:
        return web.json_response({"ok": load.figures.ok}, status=200 if load.figures.ok else 503)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/ready", ready)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()


async def main(home: Path, rate: float) -> None:
    """Load the shop of this home."""
    shop = Settled.read(home)
    base = f"http://{HOST}:{shop.ports['front']}"
    http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=_CLIENT_SECONDS),
    )
    with History(shop.places.history) as history:
        async with http:
            load = Load(base, history, http)
            await _serve(load, shop.ports["load"])
            await _wait_for_shop(http, f"{base}/ready")
            await load.run(rate)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]) if sys.argv[2:] else RATE))
