"""The one plugin of the wheel, registered by entry point. Loaded everywhere: keep it light."""

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import conf

PREFIX, API = "/holdfast", "/evidence/v1"


def root() -> str:
    """Where the pages are: below the path of Airflow's own address, if it has one."""
    return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PREFIX


def _views(at: str) -> list[dict[str, Any]]:
    return [
        {
            "name": "Resilience", "href": f"{at}/", "destination": "nav",
            "nav_top_level": True, "url_route": "resilience",
        },
        {
            "name": "Resilience", "href": f"{at}/runs/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run", "url_route": "resilience-run",
        },
    ]


class HoldfastPlugin(AirflowPlugin):
    """The pages: all runs in the navigation, and each DAG run's own beside its tasks."""

    name = "holdfast"
    external_views = _views(root())

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Made when the API server asks: a worker or a triggerer never loads the pages."""
        from holdfast.model.run import run_id
        from holdfast.provider import wiring
        from holdfast.provider.access import require
        from holdfast.web.app import create_app
        from holdfast.web.evidence import create_api

        app, api = create_app(wiring.ports, require(), run_id), create_api(wiring.ports, require())
        return [
            {"app": app, "url_prefix": PREFIX, "name": "holdfast"},
            {"app": api, "url_prefix": API, "name": "holdfast-evidence"},
        ]
