"""Ask the payment service: with a limit of time, again after a pause, and not while it fails."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from shop.api.breaker import Breaker
from shop.api.payment_figures import PaymentFigures

ATTEMPTS = 3
ATTEMPT_SECONDS = 0.3
_FIRST_PAUSE_SECONDS, _JITTER_SECONDS = 0.04, 0.02  # then twice as long
_END_SECONDS = 30.0  # the HTTP client's own, so that without a time-out nothing is kept for ever


class _Failed(Exception):
    """An attempt that may be made again."""


class _Rejected(Exception):
    """The breaker let no attempt through."""


class Payments:
    """Charges, each under a key, so that asking twice never charges twice."""

    def __init__(
        self, url: str, figures: PaymentFigures, has: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._url, self._figures = f"{url}/charges", figures
        self._attempts = ATTEMPTS if has("retry") else 1
        self._limit = ATTEMPT_SECONDS if has("timeout") else None
        self.breaker = Breaker(figures.changed) if has("breaker") else None
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make ready to ask; connects on the first charge."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_END_SECONDS))

    async def close(self) -> None:
        """End all connections."""
        if self._http is not None:
            await self._http.close()

    async def charge(self, key: str, amount_cents: int, seconds: float) -> bool:
        """Charge within so many seconds.

        False when that did not succeed: it may have happened all the same, and asking again later
        with the same key finds out. No attempt begins that could not run to its limit.
        """
        left = seconds - ATTEMPT_SECONDS
        if left < 0:
            return False
        body = {"key": key, "amount_cents": amount_cents}
        ended = 0.0
        try:
            async for attempt in self._retrying(left):
                with attempt:
                    number = attempt.retry_state.attempt_number
                    if number > 1:
                        self._figures.waited(number, time.monotonic() - ended)
                    try:
                        await self._attempt(number, body)
                    finally:
                        ended = time.monotonic()
        except (_Failed, _Rejected):
            return False
        return True

    def _retrying(self, left: float) -> AsyncRetrying:
        wait = wait_exponential(multiplier=_FIRST_PAUSE_SECONDS) + wait_random(0, _JITTER_SECONDS)
        return AsyncRetrying(
            stop=stop_after_attempt(self._attempts) | stop_before_delay(left),
            wait=wait,
            retry=retry_if_exception_type(_Failed),
            reraise=True,
        )

    async def _attempt(self, number: int, body: dict[str, object]) -> None:
        admitted = self.breaker.admit() if self.breaker else 0
        if admitted is None:
            self._figures.rejected(number)
            raise _Rejected
        outcome = "fail"
        with self._figures.attempt() as done:
            try:
                outcome = await self._ask(body)
            finally:  # also when it was cancelled: a trial that never ends would shut the door
                done(number, outcome)
                if self.breaker:
                    self.breaker.settle(admitted, outcome == "ok")
        if outcome != "ok":
            raise _Failed(outcome)

    async def _ask(self, body: dict[str, object]) -> str:
        if self._http is None:
            raise RuntimeError("charge before open")
        try:
            async with (
                asyncio.timeout(self._limit),
                self._http.post(self._url, json=body) as response,
            ):
                await response.read()
        except TimeoutError:
            return "timeout"
        except aiohttp.ClientError:
            return "fail"
        return "ok" if response.ok else "fail"
