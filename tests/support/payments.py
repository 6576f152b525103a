"""What a shop's orders and its payment service say of each other, and what its APIs measure."""

import json
import sqlite3
import urllib.request
from contextlib import closing

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from shop.postgres.cluster import Cluster
from shop.settled import HOST, PAYMENT_PROXY, Settled

APIS = ("api-1", "api-2")


def ask(shop: Settled, port: str, method: str, path: str, body: object = None) -> bytes:
    """Send a request to one of the shop's ports, by the port's name."""
    data = None if body is None else json.dumps(body).encode()
    url = f"http://{HOST}:{shop.ports[port]}{path}"
    request = urllib.request.Request(url, method=method, data=data)
    with urllib.request.urlopen(request, timeout=30) as response:
        return bytes(response.read())


def let_payments_through(shop: Settled, enabled: bool) -> None:
    """Open or shut the way to the payment service."""
    ask(shop, "payment-proxy-control", "POST", f"/proxies/{PAYMENT_PROXY}", {"enabled": enabled})


def measured(shop: Settled, api: str, name: str, **labels: str) -> float:
    """One figure of an API or of the load, asked of the process itself."""
    text = ask(shop, api, "GET", "/metrics").decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    raise LookupError(f"{api} has no {name}{labels}")


def payments(shop: Settled) -> dict[str, tuple[str, int]]:
    """Each order's state of payment and amount, asked of the primary."""
    port = shop.node_port(Cluster.read(shop.places).primary)
    with psycopg.connect(shop.conninfo(port, "test")) as primary:
        rows = primary.execute("SELECT key, payment, amount_cents FROM orders")
        return {key: (payment, amount) for key, payment, amount in rows}


def charged(shop: Settled) -> dict[str, int]:
    """What the payment service took, by key."""
    with closing(sqlite3.connect(f"file:{shop.places.charges}?mode=ro", uri=True)) as ledger:
        return dict(ledger.execute("SELECT key, amount_cents FROM charges"))


def balances(shop: Settled) -> int:
    """All money in all accounts."""
    port = shop.node_port(Cluster.read(shop.places).primary)
    with psycopg.connect(shop.conninfo(port, "test")) as primary:
        row = primary.execute("SELECT sum(balance) FROM accounts").fetchone()
    return int(row[0]) if row else 0
