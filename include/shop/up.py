"""Start a shop and wait until customers are served and the standby streams."""

import fcntl
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shop import addresses, certificates, observed, processes
from shop.binaries import require_all
from shop.down import down, living
from shop.errors import ShopError
from shop.files import write, write_connections, write_json
from shop.free_ports import choose
from shop.front import configuration
from shop.parts import ALL_PARTS, DATABASE_PARTS, INCLUDE, PORTS, specification
from shop.places import Places
from shop.postgres import small_disk
from shop.postgres.build import write_passwords
from shop.postgres.cluster import Cluster
from shop.settled import HOST, NODES, Settled
from shop.status import Status, answers, replication, status

_START_SECONDS = 60.0
_LOG_LINES = 5


def up(
    home: Path,
    parts: tuple[str, ...] = ALL_PARTS,
    without: frozenset[str] = frozenset(),
    on_small_disk: bool = False,
    synchronous: bool = False,
) -> bool:
    """Start what is not there; False when the shop was up already.

    :param without: mechanisms to leave out, see `shop.mechanisms`
    :param on_small_disk: one node gets a disk that can be filled, see `shop.postgres.small_disk`
    :param synchronous: no write without the standby, see `shop.postgres.synchronous`

    ShopError when it does not come up; then nothing is left running.
    """
    places = Places(home.resolve())
    places.shop.mkdir(parents=True, exist_ok=True)
    with _alone(places):
        if (found := status(home)).up:
            _require_same(found, without, synchronous)
            _require_disk(places, on_small_disk)
            return False
        require_all()
        if living(places) or places.run.exists():
            down(home)  # what a crash left
        addresses.require_free(places.connections)
        shop = _settle(places, without, synchronous)
        try:
            if on_small_disk:
                small_disk.prepare(places)
            _start(shop, parts)
            _wait(shop, parts)
        except BaseException:
            down(home)
            raise
        return True


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    with (places.shop / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ShopError(f"{places.home}: somebody else is starting this shop now") from None
        yield


def _require_same(found: Status, without: frozenset[str], synchronous: bool) -> None:
    if found.synchronous != synchronous:
        now = "with --synchronous" if found.synchronous else "without --synchronous"
        raise ShopError(f"the shop is up already, {now}; take it down first")
    if set(found.without) != without:
        now = f"without {', '.join(found.without)}" if found.without else "with every mechanism"
        raise ShopError(f"the shop is up already, {now}; take it down first")


def _require_disk(places: Places, wanted: bool) -> None:
    if wanted and not small_disk.image(places, small_disk.NODE).exists():
        raise ShopError("the shop is up already, without a small disk; take it down first")


def _settle(places: Places, without: frozenset[str], synchronous: bool) -> Settled:
    kept = (places.logs, places.history.parent, places.audit.parent, places.env)
    for folder in (*kept, places.shop / "data"):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    places.run.mkdir(parents=True)
    shop = Settled(places, choose(PORTS), secrets.token_urlsafe(24), without, synchronous)
    write_connections(places.connections, addresses.connections(shop))
    write_json(places.state, {
        "ports": dict(shop.ports), "without": sorted(without), "synchronous": synchronous,
    })
    write_passwords(shop)
    certificates.make(places)
    Cluster("a", 1).write(places)
    write(places.shop / "haproxy.cfg", configuration(shop))
    observed.write_targets(shop)
    return shop


def _start(shop: Settled, parts: tuple[str, ...]) -> None:
    spec = shop.places.run / "supervisor-spec.json"
    write_json(spec, specification(shop, parts))
    with (shop.places.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shop.supervisor", str(spec)],
            cwd=INCLUDE,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    processes.record(shop.places.run, "supervisor", process.pid)


def _wait(shop: Settled, parts: tuple[str, ...]) -> None:
    for what, condition in _conditions(shop, parts).items():
        if not processes.wait_for(condition, _START_SECONDS, pause=0.1):
            raise ShopError(f"{what}: not so after {_START_SECONDS:.0f} s\n{_last_words(shop)}")


def _conditions(shop: Settled, parts: tuple[str, ...]) -> dict[str, Callable[[], bool]]:
    def url(port: str, path: str) -> Callable[[], bool]:
        return lambda: answers(f"http://{HOST}:{shop.ports[port]}{path}")

    found: dict[str, Callable[[], bool]] = {}
    if set(DATABASE_PARTS) <= set(parts):
        found["the standby streams"] = lambda: replication(shop) == (_FIRST_ROLES, True)
    for part, port, path in (
        ("proxy", "proxy-control", "/proxies"),
        ("payment-proxy", "payment-proxy", "/health"),  # the service, on the API's way to it
        ("haproxy", "front", "/ready"),
        ("prometheus", "prometheus", "/-/ready"),
        ("load", "load", "/ready"),
    ):
        if part in parts:
            found[f"{part} answers"] = url(port, path)
    return found


_FIRST_ROLES = dict(zip(NODES, ("primary", "standby"), strict=True))


def _last_words(shop: Settled) -> str:
    lines = []
    for log in sorted(shop.places.logs.glob("*.log")):
        tail = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        lines += [f"{log.name}: {line}" for line in tail]
    return "\n".join(lines)
