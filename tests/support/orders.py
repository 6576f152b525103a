"""The shop's history as a test asks about it, and the orders that are really there."""

import json
import time
from collections import Counter
from dataclasses import dataclass

import psycopg

from shop.postgres.cluster import Cluster
from shop.settled import Settled


@dataclass(frozen=True)
class Seen:
    """The operations that were meant to be sent since some moment, and are over."""

    outcomes: Counter[str]
    seconds: tuple[float, ...]  # latencies, sorted
    acknowledged: frozenset[str]
    refused: frozenset[str]

    @property
    def total(self) -> int:
        """How many."""
        return self.outcomes.total()

    @property
    def not_ok(self) -> int:
        """How many were not acknowledged."""
        return self.total - self.outcomes["ok"]

    def quantile(self, part: float) -> float:
        """A quantile of the latencies."""
        return self.seconds[min(len(self.seconds) - 1, int(part * len(self.seconds)))]


def now() -> int:
    """The history's clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def seen(shop: Settled, since: int = 0) -> Seen:
    """Read the history."""
    outcomes: Counter[str] = Counter()
    seconds, keys, open_ = [], {"ok": set(), "fail": set(), "info": set()}, {}
    for line in shop.places.history.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            break  # being written
        event = json.loads(line)
        if event["type"] == "invoke":
            open_[event["process"]] = event
        elif (began := open_.pop(event["process"]))["intended"] >= since:
            outcomes[event["type"]] += 1
            seconds.append((event["time"] - began["intended"]) / 1e9)
            if event["f"] == "order":
                keys[event["type"]].add(event["value"])
    return Seen(outcomes, tuple(sorted(seconds)), frozenset(keys["ok"]), frozenset(keys["fail"]))


def stored(shop: Settled) -> frozenset[str]:
    """The keys of all orders in the database, asked of the primary itself."""
    port = shop.node_port(Cluster.read(shop.places).primary)
    with psycopg.connect(shop.conninfo(port, "test")) as primary:
        return frozenset(key for (key,) in primary.execute("SELECT key FROM orders"))
