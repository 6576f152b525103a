"""Carry the bytes of one direction of a connection, as late as the toxics say."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random

from shop.proxy.toxics import Piece, Toxic, Toxics

Before = Callable[[], Awaitable[None]]

_CHUNK = 64 * 1024
_MOST_WAITING = 16  # pieces, about 1 MB: then the sender has to wait, as behind a full TCP window
_SLICE_SECONDS = 0.05  # what a narrow path lets through at once


class Pipe:
    """One direction of a connection. Order is kept: a piece never overtakes an earlier one."""

    def __init__(self, toxics: Toxics, stream: str, lot: float, chance: Random) -> None:
        self._toxics, self._stream, self._lot, self._chance = toxics, stream, lot, chance
        self._waiting: deque[Piece] = deque()
        self._more, self._room = asyncio.Event(), asyncio.Event()
        self._free = -math.inf  # when the path had let the last piece through

    async def run(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, before: Before
    ) -> None:
        """Carry until the sender ends or the receiver is gone; each piece waits for `before`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(reader))
            group.create_task(self._give(writer, before))

    def drawn(self, data: bytes = b"", *, opens: bool = False, ends: bool = False) -> Piece:
        """A piece that arrives now, with its luck."""
        now, chance = asyncio.get_running_loop().time(), self._chance
        return Piece(data, now, chance.uniform(-1, 1), 1.0 - chance.random(), opens, ends)

    async def _take(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_CHUNK):
            self._put(self.drawn(data))
            while len(self._waiting) >= _MOST_WAITING:
                self._room.clear()
                await self._room.wait()
        self._put(self.drawn(ends=True))

    def _put(self, piece: Piece) -> None:
        self._waiting.append(piece)
        self._more.set()

    async def _give(self, writer: asyncio.StreamWriter, before: Before) -> None:
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            await self.hold(self._waiting[0])
            piece = self._narrowed(self._waiting.popleft())
            self._room.set()
            if piece.ends:
                writer.write_eof()
                return
            await before()
            writer.write(piece.data)
            await writer.drain()
            self._free = asyncio.get_running_loop().time()

    def _narrowed(self, piece: Piece) -> Piece:
        """As much of it as a narrow path lets through at once; the rest stays first in line."""
        size = self._slice(self._hitting())
        if len(piece.data) <= size:
            return piece
        self._waiting.appendleft(replace(piece, data=piece.data[size:]))
        return replace(piece, data=piece.data[:size])

    async def hold(self, piece: Piece) -> None:
        """Wait until a piece is due; a toxic that comes or goes is felt by what waits already."""
        loop = asyncio.get_running_loop()
        counted: set[str] = set()
        while True:
            changed = self._toxics.changed
            hitting = self._hitting()
            left = self._due(piece, hitting) - loop.time()
            if left <= 0:
                return
            for name in {t.name for t in hitting} - counted:
                self._toxics.delayed_bytes[name] += len(piece.data)
                counted.add(name)
            try:
                async with asyncio.timeout(None if left == math.inf else left):
                    await changed.wait()
            except TimeoutError:
                return

    def _hitting(self) -> list[Toxic]:
        return self._toxics.hitting(self._stream, self._lot)

    def _due(self, piece: Piece, hitting: list[Toxic]) -> float:
        due = piece.arrived + sum(t.seconds(piece) for t in hitting)
        rate = min((t.rate for t in hitting), default=math.inf)
        if rate == math.inf or not piece.data:
            return due
        return max(due, self._free) + min(len(piece.data), self._slice(hitting)) / rate

    def _slice(self, hitting: list[Toxic]) -> int:
        rate = min((t.rate for t in hitting), default=math.inf)
        return _CHUNK if rate == math.inf else max(1, int(rate * _SLICE_SECONDS))
