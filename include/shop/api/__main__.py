"""Run one API process: `python -m shop.api HOME NAME`."""

import logging
import sys
from pathlib import Path

import uvicorn

from shop.api.app import create_app
from shop.api.parts import Parts
from shop.settled import HOST, Settled


def main(home: Path, name: str) -> None:
    """Serve until the process is ended."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each lost connection is a line
    shop = Settled.read(home)
    parts = Parts.of(shop, name)
    uvicorn.run(
        create_app(parts),
        host=HOST,
        port=shop.ports[name],
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,  # longer than HAProxy keeps a connection, so that it closes first
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
