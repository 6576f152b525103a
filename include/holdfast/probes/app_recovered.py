"""Whether the application answers its users again, reads from its database included."""

import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from holdfast.clients.connections import Connection, connection
from holdfast.errors import HoldfastError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.probes import Probe

_NAME = "app_recovered"
_TIMEOUT = 3.0
_ROUNDS = 4
"""Requests of each kind: behind a balancer one alone would ask only one instance."""


class AppRecovered:
    """Ask the suite's `http` service over new connections.

    The connection's `extra` may name the paths: `ready` (default /ready), `read` (default
    /products), something that needs the database.
    """

    def observe(
        self, services: Mapping[str, Mapping[str, str]], home: str,
        fault: Fault, recipe: Recipe,  # noqa: ARG002 - the protocol's
    ) -> Finding:
        """Held when every request is answered with 200."""
        links = sorted({s["http"] for s in services.values() if s.get("http")})
        if not links:
            return Finding(_NAME, Verdict.UNKNOWN, "no service of the suite has an 'http' selector")
        try:
            apps = [connection(Path(home) / "connections.json", link) for link in links]
        except HoldfastError as error:
            return Finding(_NAME, Verdict.UNKNOWN, str(error))
        answers = [_ask(app, path) for app in apps for path in _paths(app) for _ in range(_ROUNDS)]
        refused = [text for text, _ in answers if text]
        slowest = max(seconds for _, seconds in answers)
        measured = {"requests": len(answers), "refused": len(refused), "slowest_seconds": slowest}
        if refused:
            text = f"{len(refused)} of {len(answers)} requests failed; the first: {refused[0]}"
            return Finding(_NAME, Verdict.BROKEN, text, measured=measured)
        text = f"{len(answers)} requests answered, the slowest in {slowest:.3f} s"
        return Finding(_NAME, Verdict.HELD, text, measured=measured)


def _paths(app: Connection) -> tuple[str, str]:
    return str(app.extra.get("ready", "/ready")), str(app.extra.get("read", "/products"))


def _ask(app: Connection, path: str) -> tuple[str, float]:
    """What was wrong with the answer (empty when nothing), and how long it took."""
    begun = time.monotonic()
    http = HTTPConnection(app.host, app.port, timeout=_TIMEOUT)
    try:
        http.request("GET", path)
        status = http.getresponse().status
        wrong = "" if status == 200 else f"GET {path} gave {status}"
    except (OSError, HTTPException) as error:
        wrong = f"GET {path}: {error or type(error).__name__}"
    finally:
        http.close()
    return wrong, round(time.monotonic() - begun, 4)


PROBE: Probe = AppRecovered()
