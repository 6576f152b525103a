"""A TCP proxy with a Toxiproxy-compatible control API, and the round trip through it."""

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.clients.connections import Connection
from holdfast.errors import FaultError, TransientFaultError

_TIMEOUT = 2.0
_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxied path: clients come to `listen`, bytes go on to `upstream`."""

    listen: str
    upstream: str
    toxics: tuple[str, ...]


class Toxics:
    """One proxy behind a control API."""

    def __init__(self, connection: Connection) -> None:
        self._host, self._port = connection.host, connection.port
        self.name = str(connection.extra.get("proxy", ""))
        self.target = f"{connection.id}:{self.name}"

    def proxy(self) -> Proxy:
        """The proxy as it is now; FaultError if the API knows no such proxy."""
        status, body = self._call("GET", self._path())
        if status != 200:
            raise FaultError(f"the control API knows no such proxy ({status})", target=self.target)
        toxics = body.get("toxics", [])
        return Proxy(body["listen"], body["upstream"], tuple(t["name"] for t in toxics))

    def add(self, name: str, attributes: Mapping[str, int]) -> None:
        """Delay what flows back to clients; a toxic of this name that is there stays as it is."""
        status, body = self._call("POST", self._path("toxics"), {
            "name": name, "type": "latency", "stream": "downstream", "toxicity": 1.0,
            "attributes": dict(attributes),
        })
        if status not in (200, 201, 409):
            raise FaultError(f"the toxic was refused ({status} {body})", target=self.target)

    def remove(self, name: str) -> None:
        """Take the toxic away; one that is not there (the proxy may have restarted) is fine."""
        status, body = self._call("DELETE", self._path("toxics", name))
        if status not in (200, 204, 404):
            raise TransientFaultError(f"the toxic stays ({status} {body})", target=self.target)

    def metric(self, name: str, toxic: str) -> float | None:
        """A figure of the proxy's own metrics; None where it has none."""
        try:
            text = self._request("GET", "/metrics", None)[1].decode(errors="replace")
        except TransientFaultError:
            return None
        for line in text.splitlines():
            if line.startswith(name + "{") and f'toxic="{toxic}"' in line:
                return float(line.rpartition(" ")[2])
        return 0.0 if name in text else None

    def _path(self, *parts: str) -> str:
        from urllib.parse import quote

        return "/" + "/".join(quote(p, safe="") for p in ("proxies", self.name, *parts))

    def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, content = self._request(method, path, body)
        try:
            return status, json.loads(content) if content.strip() else {}
        except ValueError:
            return status, content.decode(errors="replace")

    def _request(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        from http.client import HTTPConnection, HTTPException

        http = HTTPConnection(self._host, self._port, timeout=_TIMEOUT)
        try:
            content = None if body is None else json.dumps(body)
            http.request(method, path, content, {"Content-Type": "application/json"})
            answer = http.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            text = f"the control API does not answer: {error}"
            raise TransientFaultError(text, target=self.target) from error
        finally:
            http.close()


def round_trip(address: str, limit: float) -> float | None:
    """Ask a PostgreSQL server whether it speaks TLS: seconds until its answer, `limit` if longer.

    None if nobody is there.
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return None  # a proxy that leads nowhere yet has an empty upstream
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=limit) as link:
            begun = time.monotonic()
            link.sendall(_SSL_REQUEST)
            return time.monotonic() - begun if link.recv(1) else None
    except TimeoutError:
        return limit
    except OSError:
        return None
