"""Run the load: `python -m shop.load HOME`.

Open loop: a slow shop gets as many requests as a fast one, and latency counts from the time a
request was meant to be sent. `SHOP_LOAD_RATE` in the environment is how many are sent in a second.
"""

import asyncio
import os
import ssl
import sys
from pathlib import Path

from aiohttp import web

from shop.load.control import Control
from shop.load.figures import Figures
from shop.load.history import History
from shop.load.raises import Raises
from shop.load.sender import Doors, Load
from shop.settled import HOST, Settled

RATE, MOST = "50", 1000.0


async def _serve(control: Control, port: int) -> None:
    runner = web.AppRunner(control.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()


async def main(home: Path, rate: float) -> None:
    """Load the shop of this home."""
    shop = Settled.read(home)
    plain, secure = (shop.ports[door] for door in ("front", "front-tls"))
    tls = ssl.create_default_context(cafile=str(shop.places.authority))
    figures, raises = Figures(), Raises()
    with History(shop.places.history) as history:
        async with Doors(f"http://{HOST}:{plain}", f"https://{HOST}:{secure}", tls) as doors:
            load = Load(history, figures, raises)
            await _serve(Control(figures, raises, rate), shop.ports["load"])
            await doors.wait()
            await load.run(doors, rate)


def rate_said() -> float:
    """Requests a second, from the environment; SystemExit if it is no such number."""
    said = os.environ.get("SHOP_LOAD_RATE", RATE)  # noqa: TID251 - a program of its own
    try:
        rate = float(said)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MOST:
        sys.exit(f"SHOP_LOAD_RATE={said!r} is no number of requests a second up to {MOST:g}")
    return rate


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), rate_said()))
