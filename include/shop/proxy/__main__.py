"""Run the proxy: `python -m shop.proxy NAME LISTEN CONTROL [UPSTREAM]`, each address host:port."""

import asyncio
import sys

from aiohttp import web

from shop.proxy.control import Control
from shop.proxy.server import Proxy


def address(text: str) -> tuple[str, int]:
    """Read host:port."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def main(name: str, listen: str, control: str, upstream: str = "") -> None:
    """Serve until the process is ended."""
    proxy = Proxy(name, address(listen), address(upstream) if upstream else None)
    runner = web.AppRunner(Control({name: proxy}).app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, *address(control)).start()
    await proxy.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
