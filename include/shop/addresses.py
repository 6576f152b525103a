"""The connections others reach the shop by."""

from pathlib import Path

from shop.errors import ShopError
from shop.files import read_json
from shop.settled import (
    API_ROLE,
    DATABASE,
    HOST,
    LEDGER_ROLE,
    NODES,
    PAYMENT_PROXY,
    PROXY,
    USER,
    Settled,
)

IDS = (
    "shop_db", "shop_ledger", "shop_proxy", "shop_payment_proxy", "shop_payment_http", "shop_http",
    "shop_tls", "shop_load", "prometheus_default",
)  # fmt: skip

_MARK = "the demo shop's"


def ours(file: Path) -> list[str]:
    """Which of the ids are there and were written by a shop."""
    entries = read_json(file) or {}
    return [name for name in IDS if entries.get(name, {}).get("description") == _MARK]


def require_free(file: Path) -> None:
    """ShopError when one of the ids is there and somebody else's."""
    taken = [n for n in IDS if n in (read_json(file) or {}) and n not in ours(file)]
    if taken:
        raise ShopError(
            f"{file} has {', '.join(taken)}, not of this shop, which needs the name; "
            f"holdfast connect {taken[0]} --remove takes it away"
        )


def connections(shop: Settled) -> dict[str, dict[str, object]]:
    """In the format of Airflow's local filesystem backend, each marked as the shop's."""
    return {name: entry | {"description": _MARK} for name, entry in _entries(shop).items()}


def _entries(shop: Settled) -> dict[str, dict[str, object]]:
    nodes = [{"name": n, "host": HOST, "port": shop.node_port(n)} for n in NODES]
    return {
        "shop_db": {
            "conn_type": "postgres",
            "host": HOST,
            "port": shop.node_port("a"),
            "login": USER,
            "password": shop.password,
            "schema": DATABASE,
            "extra": {"nodes": nodes, "role": API_ROLE},
        },
        "shop_ledger": {  # on the way that the APIs take
            "conn_type": "postgres",
            "host": HOST,
            "port": shop.ports["proxy"],
            "login": LEDGER_ROLE,
            "password": shop.password,
            "schema": DATABASE,
        },
        "shop_proxy": _http(shop, "proxy-control") | {"extra": {"proxy": PROXY}},
        "shop_payment_proxy": _http(shop, "payment-proxy-control")
        | {"extra": {"proxy": PAYMENT_PROXY}},
        "shop_payment_http": _http(shop, "payment"),
        "shop_http": _http(shop, "front"),
        "shop_tls": _http(shop, "front-tls")
        | {
            "extra": {
                "authority": str(shop.places.authority),
                "authority_key": str(shop.places.authority_key),
                "certificate": str(shop.places.certificate),
                "socket": str(shop.places.socket),
            }
        },
        "shop_load": _http(shop, "load"),
        "prometheus_default": _http(shop, "prometheus"),
    }


def _http(shop: Settled, port: str) -> dict[str, object]:
    return {"conn_type": "http", "host": HOST, "port": shop.ports[port]}
