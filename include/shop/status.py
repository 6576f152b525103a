"""Look at a shop: which processes live, which node is the primary, whether the standby follows."""

import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import psycopg

from shop import processes
from shop.errors import ShopError
from shop.files import read_json
from shop.places import Places
from shop.settled import HOST, NODES, Settled

_URLS = {
    "storefront": "front",
    "prometheus": "prometheus",
    "load": "load",
    "proxy": "proxy-control",
    "payment": "payment",
}


_LIMIT = "-c statement_timeout=2000"


@dataclass(frozen=True, slots=True)
class Status:
    """A shop at one moment."""

    services: dict[str, dict[str, object]]
    roles: dict[str, str] = field(default_factory=dict)  # node to primary, standby or down
    streaming: bool = False
    ports: dict[str, int] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # mechanisms this shop was started without
    synchronous: bool = False  # whether it takes no write without the standby

    @property
    def up(self) -> bool:
        """Whether the supervisor and everything it keeps is there."""
        return bool(self.services) and all(s["up"] for s in self.services.values())


def status(home: Path) -> Status:
    """Look without changing anything."""
    places = Places(home.resolve())
    services = {name: _service(places, name) for name in _expected(places)}
    try:
        shop = Settled.read(home)
    except ShopError:
        return Status(services)
    roles, streaming = replication(shop)
    ports = dict(shop.ports)
    urls = {name: f"http://{HOST}:{ports[port]}" for name, port in _URLS.items()}
    without = tuple(sorted(shop.without))
    return Status(services, roles, streaming, ports, urls, without, shop.synchronous)


def replication(shop: Settled) -> tuple[dict[str, str], bool]:
    """Ask both nodes for their role, and the primary whether the other one streams from it."""
    roles, streaming = {}, False
    for node in NODES:
        roles[node], follows = _node(shop, node)
        streaming = streaming or follows
    return roles, streaming


def answers(url: str, seconds: float = 1.0) -> bool:
    """Whether a GET succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:  # noqa: S310 - http only
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _expected(places: Places) -> list[str]:
    spec = read_json(places.run / "supervisor-spec.json") or {"processes": []}
    names = ["supervisor", *(p["name"] for p in spec["processes"])] if spec["processes"] else []
    names += [f"postgres-{n}" for n in NODES if f"node-{n}" in names]
    return sorted({*names, *processes.recorded_names(places.run)})


def _service(places: Places, name: str) -> dict[str, object]:
    identity = processes.recorded(places.run, name)
    alive = identity is not None and identity.is_alive()
    return {"pid": identity.pid if identity and alive else None, "up": alive}


def _node(shop: Settled, node: str) -> tuple[str, bool]:
    conninfo = shop.conninfo(shop.node_port(node), "status", "postgres")
    try:
        with psycopg.connect(conninfo, autocommit=True, options=_LIMIT) as server:
            row = server.execute(
                "SELECT pg_is_in_recovery(), EXISTS (SELECT 1 FROM pg_stat_replication "
                "WHERE application_name LIKE 'node\\_%%' AND state = 'streaming')"
            ).fetchone()
    except psycopg.Error:
        return "down", False
    if row is None:
        return "down", False
    return ("standby", False) if row[0] else ("primary", bool(row[1]))
