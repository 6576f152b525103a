"""What a pool is without checks: one that hands out a lost connection until it is old.

Many pools are set up like this: a connection is replaced when it has reached its age, and nobody
looks at it before. The shop uses it only when it was started without `pool-check`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

Connection = psycopg.AsyncConnection[dict[str, Any]]
_LIFE_SECONDS = (15.0, 30.0)  # drawn for each, so that they do not end all at once
_AGAIN_SECONDS = 0.2


class TrustingPool:
    """So many connections; the part of psycopg_pool's interface that the shop uses."""

    def __init__(
        self,
        conninfo: str,
        kwargs: Mapping[str, Any],
        opened: Callable[[Connection], Awaitable[None]],
        size: int,
        seconds: float,
    ) -> None:
        self._conninfo, self._kwargs, self._opened = conninfo, kwargs, opened
        self._size, self._seconds = size, seconds
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        self._old_at: dict[Connection, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._chance = Random()  # noqa: S311 - when to grow old, not a secret

    async def open(self, wait: bool = False) -> None:
        """Begin to connect, as often as it takes."""
        for _ in range(self._size):
            self._connect_soon()
        if wait:
            await asyncio.gather(*self._tasks)

    async def close(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - psycopg_pool's name
        """End the connections that nobody has now."""
        for task in self._tasks:
            task.cancel()
        async with asyncio.timeout(timeout):
            while not self._free.empty():
                await self._free.get_nowait().close()

    async def getconn(self) -> Connection:
        """Give the connection that was free for the longest time, whatever became of it."""
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await self._free.get()
        except TimeoutError:
            raise PoolTimeout(f"no connection was free for {self._seconds} s") from None
        finally:
            self._waiting -= 1

    async def putconn(self, conn: Connection) -> None:
        """Take it back; one that is old is replaced."""
        if asyncio.get_running_loop().time() < self._old_at[conn]:
            self._free.put_nowait(conn)
            return
        del self._old_at[conn]
        await conn.close()
        self._connect_soon()

    def get_stats(self) -> dict[str, int]:
        """How many there are, and how many requests wait for one."""
        return {"pool_size": len(self._old_at), "requests_waiting": self._waiting}

    def _connect_soon(self) -> None:
        task = asyncio.create_task(self._connect())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        while True:
            try:
                made: Connection = await psycopg.AsyncConnection.connect(
                    self._conninfo, **self._kwargs
                )
                break
            except psycopg.OperationalError:
                await asyncio.sleep(_AGAIN_SECONDS)
        await self._opened(made)
        now = asyncio.get_running_loop().time()
        self._old_at[made] = now + self._chance.uniform(*_LIFE_SECONDS)
        self._free.put_nowait(made)
