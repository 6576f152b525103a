"""Run the payment service: `python -m shop.payment HOME`."""

import sys
from pathlib import Path

import uvicorn

from shop.payment.app import create_app
from shop.payment.charges import Charges
from shop.settled import HOST, Settled


def main(home: Path) -> None:
    """Serve until the process is ended."""
    shop = Settled.read(home)
    uvicorn.run(
        create_app(Charges(shop.places.charges)),
        host=HOST,
        port=shop.ports["payment"],
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
