"""The processes a shop is made of, and how each is started."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from shop.binaries import program
from shop.settled import HOST, PAYMENT_PROXY, PROXY, Settled

INCLUDE = Path(__file__).resolve().parents[1]
PORTS = (
    "postgres-a", "postgres-b", "proxy", "proxy-control", "controller",
    "payment", "payment-proxy", "payment-proxy-control",
    "api-1", "api-2", "front", "front-tls", "haproxy", "load", "prometheus",
)  # fmt: skip


def _python(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _proxy(shop: Settled) -> list[str]:
    # Without an upstream: one that starts again must not lead to a former primary.
    listen, control = (f"{HOST}:{shop.ports[name]}" for name in ("proxy", "proxy-control"))
    return _python("shop.proxy", PROXY, listen, control)


def _payment_proxy(shop: Settled) -> list[str]:
    names = ("payment-proxy", "payment-proxy-control", "payment")
    return _python("shop.proxy", PAYMENT_PROXY, *(f"{HOST}:{shop.ports[name]}" for name in names))


def _haproxy(shop: Settled) -> list[str]:
    return [program("haproxy"), "-db", "-f", str(shop.places.shop / "haproxy.cfg")]


def _prometheus(shop: Settled) -> list[str]:
    return [
        program("prometheus"),
        f"--config.file={shop.places.shop / 'prometheus.yml'}",
        f"--storage.tsdb.path={shop.places.data('prometheus')}",
        f"--web.listen-address={HOST}:{shop.ports['prometheus']}",
        "--storage.tsdb.retention.time=6h",
        "--storage.tsdb.retention.size=256MB",
        "--query.lookback-delta=10s",
        "--log.level=warn",
    ]


_COMMANDS: Mapping[str, Callable[[Settled], list[str]]] = {
    "node-a": lambda shop: _python("shop.postgres.node", shop.places.home, "a"),
    "node-b": lambda shop: _python("shop.postgres.node", shop.places.home, "b"),
    "proxy": _proxy,
    "controller": lambda shop: _python("shop.postgres.controller", shop.places.home),
    "payment": lambda shop: _python("shop.payment", shop.places.home),
    "payment-proxy": _payment_proxy,
    "api-1": lambda shop: _python("shop.api", shop.places.home, "api-1"),
    "api-2": lambda shop: _python("shop.api", shop.places.home, "api-2"),
    "haproxy": _haproxy,
    "prometheus": _prometheus,
    "load": lambda shop: _python("shop.load", shop.places.home),
}
DATABASE_PARTS = ("node-a", "node-b", "proxy", "controller")
ALL_PARTS = tuple(_COMMANDS)


def specification(shop: Settled, parts: tuple[str, ...]) -> dict[str, object]:
    """What the supervisor is told."""
    return {
        "run_dir": str(shop.places.run),
        "log_dir": str(shop.places.logs),
        "processes": [
            {
                "name": name,
                "argv": _COMMANDS[name](shop),
                "env": {"PYTHONPATH": str(INCLUDE), "PYTHONUNBUFFERED": "1"},
                "cwd": str(shop.places.shop),
            }
            for name in parts
        ],
    }
