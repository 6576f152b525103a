"""What was settled when this shop started: its ports, its password, what it goes without."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shop.errors import ShopError
from shop.files import read_json
from shop.places import Places

HOST = "127.0.0.1"
NODES = ("a", "b")
PROXY, PAYMENT_PROXY = "database", "payment"
DATABASE = "shop"
USER = "postgres"
API_ROLE = "shop_api"
"""Whom the APIs log in as: it may read and write the shop's tables, and nothing else."""
LEDGER_ROLE = "shop_ledger"
"""Whom workloads log in as: it may make schemas of its own, and sees nothing of the shop's."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One shop as its processes know it."""

    places: Places
    ports: Mapping[str, int]
    password: str = field(repr=False)
    without: frozenset[str] = frozenset()  # mechanisms switched off; see shop.mechanisms
    synchronous: bool = False  # no write without the standby; see shop.postgres.synchronous

    @classmethod
    def read(cls, home: Path) -> "Settled":
        """Read what `up` wrote; ShopError when no shop was started in this home."""
        places = Places(home.resolve())
        state, connections = read_json(places.state), read_json(places.connections)
        if state is None or not connections or "shop_db" not in connections:
            raise ShopError(f"{home}: no shop is up here; run: python -m shop up --home {home}")
        password = connections["shop_db"]["password"]
        without = frozenset(state.get("without", ()))
        return cls(places, state["ports"], password, without, bool(state.get("synchronous")))

    def node_port(self, node: str) -> int:
        """Where a PostgreSQL node listens, whatever its role."""
        return self.ports[f"postgres-{node}"]

    def has(self, mechanism: str) -> bool:
        """Whether a mechanism works in this shop."""
        return mechanism not in self.without

    def conninfo(
        self, port: int, name: str, database: str = DATABASE, user: str = USER
    ) -> str:
        """How to reach PostgreSQL on a port, in as few round trips as there are."""
        return (
            f"host={HOST} port={port} dbname={database} user={user} password={self.password} "
            f"application_name={name} connect_timeout=2 sslmode=disable gssencmode=disable"
        )


def other(node: str) -> str:
    """The node that is not this one."""
    return NODES[1 - NODES.index(node)]
