"""The connections others reach the shop by."""

from shop.settled import API_ROLE, DATABASE, HOST, NODES, PAYMENT_PROXY, PROXY, USER, Settled

IDS = (
    "shop_db", "shop_proxy", "shop_payment_proxy", "shop_payment_http", "shop_http", "shop_tls",
    "shop_load", "prometheus_default",
)  # fmt: skip


def connections(shop: Settled) -> dict[str, dict[str, object]]:
    """In the format of Airflow's local filesystem backend."""
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
