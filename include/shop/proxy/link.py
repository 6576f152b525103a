"""Carry the bytes of one connection, both ways, as late as the toxics say."""

import asyncio
from collections import deque
from dataclasses import dataclass
from random import Random

from shop.proxy.toxics import Toxics

_CHUNK = 64 * 1024


@dataclass(slots=True)
class _Piece:
    data: bytes
    arrived: float
    luck: float


class Pipe:
    """One direction of a connection. Order is kept: a piece never overtakes an earlier one."""

    def __init__(self, toxics: Toxics, stream: str, lot: float, chance: Random) -> None:
        self._toxics, self._stream, self._lot, self._chance = toxics, stream, lot, chance
        self._waiting: deque[_Piece] = deque()
        self._more = asyncio.Event()
        self._ended = False

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry until the sender ends or the receiver is gone."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(reader))
            group.create_task(self._give(writer))

    async def _take(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(_CHUNK):
            self._waiting.append(_Piece(data, loop.time(), self._chance.uniform(-1, 1)))
            self._more.set()
        self._ended = True
        self._more.set()

    async def _give(self, writer: asyncio.StreamWriter) -> None:
        while True:
            while self._waiting:
                await self._hold(self._waiting[0])
                writer.write(self._waiting.popleft().data)
                await writer.drain()
            if self._ended:
                writer.write_eof()
                return
            self._more.clear()
            await self._more.wait()

    async def _hold(self, piece: _Piece) -> None:
        """Wait until a piece is due; a toxic that comes or goes is felt by what waits already."""
        loop = asyncio.get_running_loop()
        counted: set[str] = set()
        while True:
            changed = self._toxics.changed
            hitting = self._toxics.hitting(self._stream, self._lot)
            for name in {t.name for t in hitting} - counted:
                self._toxics.delayed_bytes[name] += len(piece.data)
                counted.add(name)
            left = piece.arrived + sum(t.seconds(piece.luck) for t in hitting) - loop.time()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    await changed.wait()
            except TimeoutError:
                return
