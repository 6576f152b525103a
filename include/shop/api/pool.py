"""Run one statement on a pooled connection, and know whether a failed one may have happened."""

import asyncio
import select
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shop.api.trusting import TrustingPool

_ACQUIRE_SECONDS = 0.95  # less than HAProxy waits, so that a refusal arrives before a second try
_STATEMENT_SECONDS = 2.5
_RECONNECT_SECONDS = 0.2  # then give up: the next request begins anew, without a growing pause
_SIZE = 16  # all from the start: a pool grows one by one, and slowest when the way is slow

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]


class Refused(Exception):
    """The statement did not happen, and will not."""


class Unknown(Exception):
    """The statement was sent, and nobody knows whether it happened."""


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """A pool at one moment; `opened` and `lost` count since its start."""

    size: int
    waiting: int
    opened: int
    lost: int


class _Connections(Protocol):
    async def open(self, wait: bool = False) -> None: ...
    async def close(self, timeout: float = 5.0) -> None: ...  # noqa: ASYNC109 - psycopg_pool's
    async def getconn(self) -> Connection: ...
    async def putconn(self, conn: Connection) -> None: ...
    def get_stats(self) -> dict[str, int]: ...


class Pool:
    """Connections to whichever node the proxy leads to; a lost one is a figure, not news."""

    def __init__(self, conninfo: str, checks: bool = True) -> None:
        self._checks = checks
        self._opened = self._lost = 0
        kwargs = {
            "autocommit": True,
            "prepare_threshold": None,  # preparing costs a second round trip, now and then
            "row_factory": dict_row,
            "options": "-c statement_timeout=2000",
        }
        self._pool: _Connections = (
            AsyncConnectionPool(
                conninfo,
                connection_class=psycopg.AsyncConnection[Row],
                kwargs=kwargs,
                configure=self._count,
                min_size=_SIZE,
                max_size=_SIZE,
                num_workers=4,
                open=False,
                timeout=_ACQUIRE_SECONDS,
                reconnect_timeout=_RECONNECT_SECONDS,
            )
            if checks
            else TrustingPool(conninfo, kwargs, self._count, _SIZE, _ACQUIRE_SECONDS)
        )

    async def _count(self, _connection: Connection) -> None:
        self._opened += 1

    async def open(self) -> None:
        """Begin to connect; does not wait for the database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End all connections."""
        await self._pool.close(timeout=1.0)

    def figures(self) -> PoolFigures:
        """How the pool is now."""
        now = self._pool.get_stats()
        size, waiting = now.get("pool_size", 0), now.get("requests_waiting", 0)
        return PoolFigures(size, waiting, self._opened, self._lost)

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
            was_open = not connection.closed
            try:
                async with asyncio.timeout(_STATEMENT_SECONDS):
                    return await (await connection.execute(statement, values)).fetchall()
            except ReadOnlySqlTransaction as error:  # the way leads to a standby for now
                await connection.close()
                failure = str(error)
            except (psycopg.OperationalError, TimeoutError) as error:
                sent, failure = True, str(error)
            finally:
                self._lost += was_open and connection.closed
                await self._pool.putconn(connection)
        raise (Unknown if sent else Refused)(failure)

    async def _connection(self) -> Connection:
        """Take a connection that is still open, as far as can be told without a round trip."""
        while True:
            connection = await self._pool.getconn()
            if not self._checks or not _has_news(connection):
                return connection
            await connection.close()
            self._lost += 1
            await self._pool.putconn(connection)


def _has_news(connection: Connection) -> bool:
    """Whether something arrived on an idle connection: that is its end, or a notice of it."""
    look = select.poll()
    look.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP)
    return bool(look.poll(0))
