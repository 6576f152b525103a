"""Whether the services of a suite are there, seen from where faults hit them. It only looks."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_connection

from holdfast.clients.connections import connection
from holdfast.clients.postgres import cluster
from holdfast.clients.processes import look
from holdfast.errors import HoldfastError
from holdfast.model.suite import Selector

PATIENCE = 1.0
"""Seconds that a service has to answer: who waits longer for a page has left."""


class Health(StrEnum):
    """What was seen at one address of a service."""

    UP = "up"
    HANGS = "hangs"
    DOWN = "down"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one part of a service; `part` is a process, a node or an address."""

    service: str
    part: str
    health: Health
    text: str


def look_at(home: Path, services: Mapping[str, Selector]) -> list[Seen]:
    """Look once at every address there is a way to look at; `home` is the state folder."""
    found: list[Seen] = []
    for name, selector in services.items():
        told = selector.model_dump(exclude_none=True)
        for kind, where in told.items():
            way = _WAYS.get(kind)
            if way is not None:
                found += _without_error(name, where, way(home, name, where))
    return found


def _without_error(service: str, where: str, looks: Iterator[Seen]) -> list[Seen]:
    """What cannot be looked at is not known; the page goes on."""
    try:
        return list(looks)
    except (HoldfastError, OSError) as error:
        return [Seen(service, where, Health.UNKNOWN, str(error))]


def _processes(home: Path, service: str, pattern: str) -> Iterator[Seen]:
    files = sorted(home.glob(pattern))
    if not files:
        yield Seen(service, pattern, Health.DOWN, "no pid file")
    for file in files:
        text = file.read_text(errors="replace").strip()
        pid = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
        process = look(pid) if pid else None
        if process is None:
            yield Seen(service, file.stem, Health.DOWN, "no process")
        elif process.is_stopped:
            yield Seen(service, file.stem, Health.HANGS, f"process {pid} is stopped")
        else:
            yield Seen(service, file.stem, Health.UP, f"process {pid} runs")


def _http(home: Path, service: str, connection_id: str) -> Iterator[Seen]:
    there = connection(home / "connections.json", connection_id)
    path = str(there.extra.get("ready", "/ready"))
    with closing(HTTPConnection(there.host, there.port, timeout=PATIENCE)) as http:
        try:
            http.request("GET", path)
            status = http.getresponse().status
        except TimeoutError:
            text = f"GET {path} was not answered in {PATIENCE:g} s"
            yield Seen(service, connection_id, Health.HANGS, text)
            return
        except (OSError, HTTPException) as error:
            text = f"GET {path}: {error or type(error).__name__}"
            yield Seen(service, connection_id, Health.DOWN, text)
            return
    health = Health.UP if status < 500 else Health.DOWN
    yield Seen(service, connection_id, health, f"GET {path} gave {status}")


def _postgres(home: Path, service: str, connection_id: str) -> Iterator[Seen]:
    for node, in_recovery in cluster(str(home), connection_id).in_recovery().items():
        if in_recovery is None:
            yield Seen(service, node, Health.DOWN, "does not answer")
        else:
            role = "standby" if in_recovery else "primary"
            yield Seen(service, node, Health.UP, f"answers, {role}")


def _listens(home: Path, service: str, connection_id: str) -> Iterator[Seen]:
    there = connection(home / "connections.json", connection_id)
    try:
        create_connection((there.host, there.port), timeout=PATIENCE).close()
    except OSError as error:
        yield Seen(service, connection_id, Health.DOWN, str(error))
        return
    yield Seen(service, connection_id, Health.UP, f"listens on port {there.port}")


_WAYS: Mapping[str, Callable[[Path, str, str], Iterator[Seen]]] = {
    "process": _processes, "http": _http, "postgres": _postgres,
    "proxy": _listens, "tls": _listens, "load": _listens,
}
