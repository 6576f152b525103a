"""Listen, and link each client to the upstream of the moment."""

import asyncio
import socket
from contextlib import suppress
from random import Random

from shop.proxy.link import Link, Side
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
        family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._server: asyncio.Server | None = None
        self._obeying = asyncio.Lock()

    async def start(self) -> None:
        """Take the port and begin to listen."""
        self._socket.bind(self.listen)
        await self.obey()

    async def obey(self) -> None:
        """Listen, or refuse, as `enabled` and the toxics say.

        A port that was asked for by number stays taken while clients are refused.
        """
        async with self._obeying:
            wanted = self.enabled and not self.toxics.of(0.0, "refuse")
            if wanted and self._server is None:
                sock = self._socket.dup()
                self._server = await asyncio.start_server(self._accept, sock=sock)
            elif not wanted and self._server is not None:
                self._server.close()
                self._server = None
                self._socket.shutdown(socket.SHUT_RDWR)
                self.cut()

    def close(self) -> None:
        """Listen no more and end all connections."""
        if self._server is not None:
            self._server.close()
        self._socket.close()
        self.cut()

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
        task = asyncio.current_task()
        if task is None or self._server is None:
            writer.transport.abort()
            return
        self._links.add(task)
        try:
            await Link(self.toxics, Side(reader, writer), self._chance).carry(self._connect)
        except* (OSError, asyncio.CancelledError):
            pass  # a broken or a cut connection: both ends learn it by the close
        finally:
            self._links.discard(task)

    async def _connect(self) -> Side:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    with suppress(OSError):
                        if self.upstream is not None:
                            return Side(*await asyncio.open_connection(*self.upstream))
                    await asyncio.sleep(_AGAIN_SECONDS)
        raise ConnectionRefusedError(f"{self.upstream}: nobody listens")
