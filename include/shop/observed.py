"""What Prometheus scrapes: the repository's own prometheus.yml, and this shop's targets."""

import shutil
from pathlib import Path

from shop.errors import ShopError
from shop.files import write_json
from shop.settled import HOST, Settled

_TEMPLATE = Path(__file__).resolve().parents[2] / "deploy" / "prometheus.yml"
_SCRAPED = {
    "load": "load",
    "api-1": "api-1",
    "api-2": "api-2",
    "proxy": "proxy-control",
    "payment": "payment",
    "payment-proxy": "payment-proxy-control",
    "controller": "controller",
    "haproxy": "haproxy",
}


def write_targets(shop: Settled) -> None:
    """Lay the configuration and its target file beside each other, where Prometheus looks."""
    if not _TEMPLATE.exists():
        raise ShopError(f"{_TEMPLATE} is missing; the shop runs from a checkout")
    shutil.copyfile(_TEMPLATE, shop.places.shop / "prometheus.yml")
    groups = [
        {"targets": [f"{HOST}:{shop.ports[port]}"], "labels": {"job": job}}
        for job, port in _SCRAPED.items()
    ]
    write_json(shop.places.shop / "targets" / "shop.json", groups)
