"""Run one statement on a pooled connection, and know whether a failed one may have happened."""

import asyncio
import select
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

_ACQUIRE_SECONDS = 0.95  # less than HAProxy waits, so that a refusal arrives before a second try
_STATEMENT_SECONDS = 2.5
_RECONNECT_SECONDS = 0.2  # then give up: the next request begins anew, without a growing pause

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]


class Refused(Exception):
    """The statement did not happen, and will not."""


class Unknown(Exception):
    """The statement was sent, and nobody knows whether it happened."""


class Pool:
    """Connections to whichever node the proxy leads to; a lost one is a figure, not news."""

    def __init__(self, conninfo: str) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo,
            connection_class=psycopg.AsyncConnection[Row],
            kwargs={
                "autocommit": True,
                "prepare_threshold": None,  # preparing costs a second round trip, now and then
                "row_factory": dict_row,
                "options": "-c statement_timeout=2000",
            },
            # All from the start: a pool grows one by one, and slowest when the way is slow.
            min_size=16,
            max_size=16,
            num_workers=4,
            open=False,
            timeout=_ACQUIRE_SECONDS,
            reconnect_timeout=_RECONNECT_SECONDS,
        )

    async def open(self) -> None:
        """Begin to connect; does not wait for the database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End all connections."""
        await self._pool.close(timeout=1.0)

    def figures(self) -> Mapping[str, int]:
        """The pool's own counters."""
        return self._pool.get_stats()

    async def run(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Run a statement that may be sent twice: each write carries a key, and happens once.

        A connection that breaks is tried again on another one, once. Refused and Unknown say
        which of the two a failure is.
        """
        sent, failure = False, ""
        for _ in range(2):
            try:
                connection = await self._connection()
            except PoolTimeout as error:
                raise (Unknown if sent else Refused)(str(error)) from error
            try:
                async with asyncio.timeout(_STATEMENT_SECONDS):
                    return await (await connection.execute(statement, values)).fetchall()
            except ReadOnlySqlTransaction as error:  # the way leads to a standby for now
                await connection.close()
                failure = str(error)
            except (psycopg.OperationalError, TimeoutError) as error:
                sent, failure = True, str(error)
            finally:
                await self._pool.putconn(connection)
        raise (Unknown if sent else Refused)(failure)

    async def _connection(self) -> Connection:
        """Take a connection that is still open, as far as can be told without a round trip."""
        while True:
            connection = await self._pool.getconn()
            if not _has_news(connection):
                return connection
            await connection.close()
            await self._pool.putconn(connection)


def _has_news(connection: Connection) -> bool:
    """Whether something arrived on an idle connection: that is its end, or a notice of it."""
    look = select.poll()
    look.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP)
    return bool(look.poll(0))
