"""Ask a node how it is, on a connection of its own, and give up in time."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import psycopg

_QUESTION = """
SELECT pg_is_in_recovery(),
       coalesce((SELECT state FROM pg_stat_replication
                 WHERE application_name LIKE 'node\\_%' LIMIT 1), ''),
       coalesce((SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) FROM pg_stat_replication
                 WHERE NOT pg_is_in_recovery() AND application_name LIKE 'node\\_%' LIMIT 1), 0),
       current_setting('synchronous_standby_names')
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node said."""

    standby: bool
    replication: str = ""  # state of the standby that follows it, "streaming" when all is well
    lag_bytes: int = 0
    waits_for: str = ""  # the standby whose flush a commit waits for, if any


class Probe:
    """One node, asked again and again. The connection is kept: a new one costs a process."""

    def __init__(self, conninfo: str, limit_seconds: float) -> None:
        self._conninfo, self._limit = conninfo, limit_seconds
        self._connection: psycopg.AsyncConnection[tuple[bool, str, int, str]] | None = None

    async def ask(self) -> Answer | None:
        """The answer; None when the node did not give one within the limit."""
        task = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait({task}, timeout=self._limit)
        if done and task.exception() is None:
            return task.result()
        self._drop()
        task.cancel()
        with suppress(asyncio.CancelledError, psycopg.Error):
            await task
        return None

    def _drop(self) -> None:
        # Close at once: to cancel a question would wait for the very server that hangs.
        if self._connection is not None:
            self._connection.pgconn.finish()
        self._connection = None

    async def _ask(self) -> Answer:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True
            )
        cursor = await self._connection.execute(_QUESTION)
        row = await cursor.fetchone()
        if row is None:
            raise psycopg.DataError("no row")
        return Answer(row[0], row[1], int(row[2]), row[3])
