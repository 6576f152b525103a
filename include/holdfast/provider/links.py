"""Links of one deployment to what stands beside it, for the navigation of Airflow's pages."""

from collections.abc import Mapping

from holdfast.clients.connections import connection
from holdfast.errors import SpecError
from holdfast.provider.wiring import settings

LAB: Mapping[str, str] = {"shop_http": "Storefront", "prometheus_default": "Prometheus"}


def lab_links(names: Mapping[str, str] = LAB) -> list[dict[str, str]]:
    """Link to each of these connections that is there now, by its name in the navigation.

    They are read once, when the API server starts: bring the shop up first.
    """
    links = []
    for connection_id, name in names.items():
        try:
            there = connection(settings().connections, connection_id)
        except SpecError:
            continue  # not part of this deployment, or not up yet: no link
        links.append({
            "name": name,
            "href": f"http://{there.host}:{there.port}/",
            "destination": "nav",
            "category": "browse",
        })
    return links
