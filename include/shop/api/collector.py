"""Finish what an order left open: write down what was paid, and charge what is still pending."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg

from shop.api import statements
from shop.api.payments import Payments
from shop.api.pool import Pool, Refused, Unknown

_MARK_SECONDS = 0.25
_COLLECT_SECONDS = 1.0
_CHARGE_SECONDS = 1.0
BATCH = 50
_LOG = logging.getLogger(__name__)


class Collector:
    """One for each API; several may run, since an order is claimed before it is charged.

    An order's answer does not wait for the mark "paid": that would be a second round trip to the
    database. A mark that is lost with its process leaves the order pending; then it is charged
    again with the same key, which charges nothing, and marked.
    """

    def __init__(self, pool: Pool, payments: Payments) -> None:
        self._pool, self._payments = pool, payments
        self._paid: set[str] = set()

    def paid(self, key: str) -> None:
        """An order was charged; mark it soon."""
        self._paid.add(key)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_every(_MARK_SECONDS, self.mark))
            group.create_task(_every(_COLLECT_SECONDS, self.collect))

    async def mark(self) -> None:
        """Write down which orders are paid."""
        keys, self._paid = self._paid, set()
        if not keys:
            return
        try:
            await self._pool.run(statements.MARK_PAID, {"keys": list(keys)})
        except (Refused, Unknown):
            self._paid |= keys  # next time; marking twice changes nothing

    async def collect(self) -> None:
        """Charge orders that are pending and due, as long as the payment service takes them."""
        breaker = self._payments.breaker
        if breaker is not None and not breaker.ready:
            return
        while True:
            try:
                due = await self._pool.run(statements.CLAIM_DUE, {"most": BATCH})
            except (Refused, Unknown):
                return  # next time; what was claimed is due again after a while
            for order in due:
                key, amount = order["key"], order["amount_cents"]
                if not await self._payments.charge(key, amount, _CHARGE_SECONDS):
                    return
                self._paid.add(key)
            if len(due) < BATCH:
                return


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except psycopg.Error as error:  # the next round may do better; the log says that it did not
            _LOG.error("orders stay pending: %s", error)
