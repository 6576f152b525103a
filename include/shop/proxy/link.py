"""One client's connection to its upstream, and how toxics open, answer and cut it."""

import asyncio
import math
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import responses
from random import Random
from typing import Any

from shop.proxy.pipe import Pipe
from shop.proxy.toxics import Toxics

_LINGER_SECONDS = 1.0
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a link."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def end(self) -> None:
        """End it in order, with all that was written."""
        self.writer.close()

    def abort(self) -> None:
        """End it now."""
        self.writer.transport.abort()

    def reset(self) -> None:
        """End it so that the peer gets a reset."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.abort()


class Link:
    """Two pipes between a client and the upstream it is led to."""

    def __init__(self, toxics: Toxics, client: Side, chance: Random) -> None:
        loop = asyncio.get_running_loop()
        self._toxics, self._sides, self._chance = toxics, [client], chance
        self._lot, self._began = chance.random(), loop.time()
        self._up, self._down = (
            Pipe(toxics, stream, self._lot, chance) for stream in ("upstream", "downstream")
        )
        self._answered: asyncio.Future[int] = loop.create_future()
        self._asks = True  # what the client sends next begins a request

    async def carry(self, connect: Callable[[], Awaitable[Side]]) -> None:
        """Connect and carry until both ends have ended, one is gone, or a toxic ends it."""
        joined = asyncio.create_task(self._join(connect))
        cut = asyncio.create_task(self._cut())
        try:
            ends: set[asyncio.Future[Any]] = {joined, cut, self._answered}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._answered.done():
                await _over(joined)
                await self._answer(self._answered.result())
            elif joined.done():
                joined.result()
                self._each(Side.end)
        finally:
            await _over(joined, cut)
            self._each(Side.abort)

    def _each(self, act: Callable[[Side], None]) -> None:
        for side in self._sides:
            if not side.writer.is_closing():
                act(side)

    async def _join(self, connect: Callable[[], Awaitable[Side]]) -> None:
        await self._up.hold(self._up.drawn(opens=True))
        (client,), far = self._sides, await connect()
        self._sides.append(far)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._up.run(client.reader, far.writer, self._ask))
            group.create_task(self._down.run(far.reader, client.writer, self._reply))

    async def _reply(self) -> None:
        self._asks = True

    async def _ask(self) -> None:
        """Let a piece of a request pass, unless a toxic answers it here."""
        begins, self._asks = self._asks, False
        for toxic in self._toxics.of(self._lot, "answer"):
            if begins and self._chance.random() < toxic.attributes["probability"]:
                self._answered.set_result(int(toxic.attributes["status"]))
                await asyncio.Future[None]()  # nothing of it reaches the upstream

    async def _cut(self) -> None:
        """Return, with the link ended, once a toxic has let it live long enough."""
        loop = asyncio.get_running_loop()
        while True:
            changed, due, resets = self._toxics.changed, math.inf, False
            for toxic in self._toxics.of(self._lot, "reset_peer", "timeout"):
                after = toxic.cuts_after()
                at = math.inf if after is None else after + max(
                    self._began, self._toxics.since[toxic.name])
                if at < due:
                    due, resets = at, toxic.kind == "reset_peer"
            if due <= loop.time():
                self._each(Side.reset if resets else Side.abort)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout_at(None if due == math.inf else due):
                    await changed.wait()

    async def _answer(self, status: int) -> None:
        """Answer over HTTP, then let the client finish: a close under its feet would be a reset."""
        client = self._sides[0]
        phrase = responses.get(status, "Refused")
        client.writer.write((
            f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain\r\nconnection: close\r\n"
            f"content-length: {len(phrase)}\r\n\r\n{phrase}"
        ).encode())
        client.writer.write_eof()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while await client.reader.read(65536):
                    pass


async def _over(*tasks: asyncio.Task[None]) -> None:
    """Cancel what still runs, and wait for it."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
