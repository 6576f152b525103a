"""The connections others reach the shop by."""

from shop.settled import DATABASE, HOST, NODES, PROXY, USER, Settled

IDS = ("shop_db", "shop_proxy", "shop_http", "shop_load", "prometheus_default")


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
            "extra": {"nodes": nodes},
        },
        "shop_proxy": _http(shop, "proxy-control") | {"extra": {"proxy": PROXY}},
        "shop_http": _http(shop, "front"),
        "shop_load": _http(shop, "load"),
        "prometheus_default": _http(shop, "prometheus"),
    }


def _http(shop: Settled, port: str) -> dict[str, object]:
    return {"conn_type": "http", "host": HOST, "port": shop.ports[port]}
