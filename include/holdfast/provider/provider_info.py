"""What Airflow is told about this provider, before any configuration exists: keep it light."""

from typing import Any

from holdfast import __version__


def get_provider_info() -> dict[str, Any]:
    """Describe the package and declare the `[holdfast]` section of Airflow's configuration."""
    return {
        "package-name": "holdfast",
        "name": "Holdfast",
        "description": "Resilience suites as DAGs: a fault lives only while somebody watches it.",
        "versions": [__version__],
        "notifications": ["holdfast.provider.notifier.HoldfastNotifier"],
        "config": {
            "holdfast": {
                "description": "How this deployment of Holdfast is wired.",
                "options": {
                    "home": _option(
                        "Folder of all state: leases, journals, books, keys. Local disk.",
                        example="/var/lib/holdfast",
                    ),
                    "experiments": _option(
                        "Folder of the suites, `*.suite.yaml`.", example="/opt/holdfast/experiments"
                    ),
                    "commands": _option(
                        "Programs that suites may have run, NAME=PATH by commas; none by default.",
                        example="queue-depth=/usr/local/bin/queue-depth",
                    ),
                    "store": _option(
                        "Connection of a PostgreSQL that machines share as their store; "
                        "without it, files below home.", example="holdfast_store",
                    ),
                },
            }
        },
    }


def _option(description: str, example: str) -> dict[str, Any]:
    return {
        "description": f"{description} Empty: `HOLDFAST_*`, else relative to the working folder.",
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": "",
    }
