"""The shop's commands: `python -m shop up|down|status [--home DIR] [--json] [--without NAME]`."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from shop.down import down
from shop.errors import ShopError
from shop.mechanisms import MECHANISMS, checked
from shop.status import Status, status
from shop.up import up

USAGE = 2  # the exit code of arguments that are wrong


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when the shop is as asked for."""
    parser = argparse.ArgumentParser(prog="shop", description="The demo target.")
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--home", type=Path, default=Path(".holdfast"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--without", action="append", default=[], metavar="MECHANISM",
        help=f"leave a mechanism out: {', '.join(MECHANISMS)}; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--small-disk", action="store_true",
        help="put a database node on a disk of 768 MB, which a fault can fill; needs root",
    )  # fmt: skip
    parser.add_argument(
        "--synchronous", action="store_true",
        help="take no order that the standby has not, also while there is none",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    of_up = (options.without, options.small_disk, options.synchronous)
    if any(of_up) and options.command != "up":
        parser.error("--without, --small-disk and --synchronous belong to up")
    try:
        without = checked(options.without)
    except ShopError as error:
        print(f"shop: {error}", file=sys.stderr)
        return USAGE
    try:
        if options.command == "up":
            start = partial(
                up, options.home, without=without, on_small_disk=options.small_disk,
                synchronous=options.synchronous)
            return _up(options.home, options.json, start)
        return _COMMANDS[options.command](options.home, options.json)
    except ShopError as error:
        print(f"shop: {error}", file=sys.stderr)
        return 1


def _up(home: Path, as_json: bool, start: Callable[[], bool]) -> int:
    began = time.monotonic()
    started = start()
    seconds = time.monotonic() - began
    if not as_json:
        print(f"the shop is up after {seconds:.1f} s" if started else "the shop is up already")
    _show(status(home), as_json)
    return 0


def _down(home: Path, as_json: bool) -> int:
    count = down(home)
    if as_json:
        print(json.dumps({"stopped": count}))
    else:
        print(f"the shop is down; {count} processes stopped" if count else "the shop was not up")
    return 0


def _status(home: Path, as_json: bool) -> int:
    found = status(home)
    _show(found, as_json)
    return 0 if found.up else 1


def _show(found: Status, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"up": found.up, **asdict(found)}, indent=2))
        return
    for name, url in found.urls.items():
        print(f"  {name:<12} {url}")
    roles = ", ".join(f"{node} {role}" for node, role in found.roles.items())
    if roles:
        streams = "streaming" if found.streaming else "NOT streaming"
        strict = ", no write without it" if found.synchronous else ""
        print(f"  {'database':<12} {roles}; {streams}{strict}")
    if found.without:
        print(f"  {'without':<12} {', '.join(found.without)}")
    missing = [name for name, service in found.services.items() if not service["up"]]
    if missing or not found.services:
        print(f"  not running: {', '.join(missing) or 'the whole shop'}")


_COMMANDS = {"down": _down, "status": _status}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
