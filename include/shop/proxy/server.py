"""Listen, and link each client to the upstream of the moment."""

import asyncio
from contextlib import suppress
from random import Random

from shop.proxy.link import Pipe
from shop.proxy.toxics import Toxics

_PATIENCE_SECONDS = 1.0  # a new client waits this long for an upstream that listens
_AGAIN_SECONDS = 0.05


class Proxy:
    """One listening port and where it leads; nowhere, until somebody who knows says so."""

    def __init__(
        self, name: str, listen: tuple[str, int], upstream: tuple[str, int] | None
    ) -> None:
        self.name, self.listen, self.upstream = name, listen, upstream
        self.enabled = True
        self.toxics = Toxics()
        self._chance = Random()  # noqa: S311 - jitter, not a secret
        self._links: set[asyncio.Task[None]] = set()

    async def start(self) -> asyncio.Server:
        """Begin to listen."""
        return await asyncio.start_server(self._accept, *self.listen)

    def point(self, upstream: tuple[str, int]) -> None:
        """Lead to another upstream; connections to the former one end now."""
        if upstream != self.upstream:
            self.upstream = upstream
            self.cut()

    def cut(self) -> None:
        """End all connections."""
        for link in self._links:
            link.cancel()

    def as_json(self) -> dict[str, object]:
        """Toxiproxy's JSON."""
        return {
            "name": self.name,
            "listen": "{}:{}".format(*self.listen),
            "upstream": "{}:{}".format(*self.upstream) if self.upstream else "",
            "enabled": self.enabled,
            "toxics": [toxic.as_json() for toxic in self.toxics.active.values()],
        }

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        if link is None or not self.enabled:
            writer.transport.abort()
            return
        self._links.add(link)
        try:
            await self._link(reader, writer)
        except* (OSError, asyncio.CancelledError):
            pass  # a broken or a cut connection: both ends learn it by the close
        finally:
            self._links.discard(link)
            writer.transport.abort()

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        lot = self._chance.random()
        try:
            async with asyncio.TaskGroup() as group:
                up = Pipe(self.toxics, "upstream", lot, self._chance)
                down = Pipe(self.toxics, "downstream", lot, self._chance)
                group.create_task(up.run(reader, far_writer))
                group.create_task(down.run(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    with suppress(OSError):
                        if self.upstream is not None:
                            return await asyncio.open_connection(*self.upstream)
                    await asyncio.sleep(_AGAIN_SECONDS)
        raise ConnectionRefusedError(f"{self.upstream}: nobody listens")
