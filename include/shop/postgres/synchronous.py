"""Wait for the standby while there is one: synchronous when it streams, alone when it does not.

As Patroni's `synchronous_mode` without `strict`: a standby that has fallen away does not stop the
shop. The price is that orders are then acknowledged by the primary alone. A shop started with
`--synchronous` is strict: nothing is acknowledged that the standby has not, so it takes no order
until there is one again.
"""

import psycopg
import psycopg.sql

from shop.postgres.probe import Answer

PATIENCE = 4
"""Rounds without a streaming standby before the primary goes on alone."""


class Synchronous:
    """Keeps the primary's `synchronous_standby_names` as the standby's state wants it."""

    def __init__(self, *, is_strict: bool = False) -> None:
        self._is_strict, self._missed = is_strict, 0

    def wanted(self, primary: Answer, standby: str) -> str | None:
        """The setting to make now; None if it is right, or not yet time to change it."""
        if self._is_strict and primary.replication != "streaming":
            return None
        if primary.replication == "streaming":
            self._missed, names = 0, f"node_{standby}"
        else:
            self._missed, names = self._missed + 1, ""
        patient = not names and self._missed < PATIENCE
        return None if patient or names == primary.waits_for else names


async def wait_for(conninfo: str, names: str) -> None:
    """Make the setting; commits that wait for a standby that is gone are let go by it."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as node:
        statement = psycopg.sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}")
        await node.execute(statement.format(psycopg.sql.Literal(names)))
        await node.execute("SELECT pg_reload_conf()")
