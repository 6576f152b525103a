"""A TCP proxy with a Toxiproxy-compatible control API, and what a client of a path gets."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.clients.connections import Connection
from holdfast.clients.control import ask
from holdfast.errors import FaultError, TransientFaultError

_TOXIPROXYS = frozenset(
    {"latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"}
)
_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxied path: clients come to `listen`, bytes go on to `upstream`."""

    listen: str
    upstream: str
    toxics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Toxic:
    """One harm to a path: a kind of the proxy's, with that kind's attributes.

    `share` is the part of the connections that it hits, 0..1.
    """

    name: str
    kind: str
    stream: str
    share: float
    attributes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a client that asked something got first, and after how many seconds."""

    outcome: Literal["answered", "closed", "reset", "refused", "silent"]
    seconds: float = 0.0
    answer: bytes = b""


class Toxics:
    """One proxy behind a control API."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection
        self.name = str(connection.extra.get("proxy", ""))
        self.target = f"{connection.id}:{self.name}"

    def proxy(self) -> Proxy:
        """The proxy as it is now; FaultError if the API knows no such proxy."""
        status, body = ask(self._link, "GET", self._path())
        if status != 200:
            raise FaultError(f"the control API knows no such proxy ({status})", target=self.target)
        toxics = body.get("toxics", [])
        return Proxy(body["listen"], body["upstream"], tuple(t["name"] for t in toxics))

    def knows(self, kind: str) -> bool:
        """Whether the proxy has this kind of toxic; one that does not say has Toxiproxy's."""
        body = ask(self._link, "GET", "/version")[1]
        listed = body.get("toxics") if isinstance(body, dict) else None
        return kind in (_TOXIPROXYS if listed is None else listed)

    def add(self, toxic: Toxic) -> None:
        """Begin to hurt; a toxic of this name that is there stays as it is."""
        status, body = ask(self._link, "POST", self._path("toxics"), {
            "name": toxic.name, "type": toxic.kind, "stream": toxic.stream,
            "toxicity": toxic.share, "attributes": dict(toxic.attributes),
        })
        if status not in (200, 201, 409):
            raise FaultError(f"the toxic was refused ({status} {body})", target=self.target)

    def remove(self, name: str) -> None:
        """Take the toxic away; one that is not there (the proxy may have restarted) is fine."""
        status, body = ask(self._link, "DELETE", self._path("toxics", name))
        if status not in (200, 204, 404):
            raise TransientFaultError(f"the toxic stays ({status} {body})", target=self.target)

    def metric(self, name: str, toxic: str) -> float | None:
        """A figure of the proxy's own metrics; None where it has none."""
        try:
            text = str(ask(self._link, "GET", "/metrics")[1])
        except TransientFaultError:
            return None
        for line in text.splitlines():
            if line.startswith(name + "{") and f'toxic="{toxic}"' in line:
                return float(line.rpartition(" ")[2])
        return 0.0 if name in text else None

    def _path(self, *parts: str) -> str:
        from urllib.parse import quote

        return "/" + "/".join(quote(p, safe="") for p in ("proxies", self.name, *parts))


def trial(address: str, limit: float) -> Trial | None:
    """Ask as a PostgreSQL client does whether TLS is spoken; any server answers that somehow.

    None if the address leads nowhere: a proxy that has no upstream yet. `limit` is seconds.
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return None
    begun = time.monotonic()
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=limit) as link:
            begun = time.monotonic()
            link.sendall(_SSL_REQUEST)
            answer = link.recv(64)
            seconds = time.monotonic() - begun
            return Trial("answered" if answer else "closed", seconds, answer)
    except TimeoutError:
        return Trial("silent", limit)
    except ConnectionRefusedError:
        return Trial("refused")
    except OSError:
        return Trial("reset", time.monotonic() - begun)
