"""Addresses and secrets by connection id, from a file that only its owner can read."""

import json
import os
import stat
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.errors import SpecError


@dataclass(frozen=True, slots=True)
class Connection:
    """One outside system. `extra` is read by named keys only."""

    id: str
    type: str
    host: str = ""
    port: int = 0
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base address of a connection of type http; its schema `https` asks for TLS."""
        host = self.host.rstrip("/")
        named = f"[{host}]" if ":" in host and "://" not in host else host
        base = named if "://" in named else f"{self.schema or 'http'}://{named}"
        return f"{base}:{self.port}" if self.port else base


def connection_ids(file: Path) -> list[str]:
    """Every id that is there, by name."""
    return sorted(_entries(file))


def connection(file: Path, connection_id: str) -> Connection:
    """Read one connection; SpecError names the file and the ids that are there."""
    entries = _entries(file)
    entry = entries.get(connection_id)
    if entry is None:
        raise SpecError(
            f"unknown connection '{connection_id}'",
            where=str(file),
            hint=f"known: {', '.join(sorted(entries)) or 'none'}; "
                 "holdfast connect adds one",
        )
    return Connection(
        id=connection_id,
        type=entry.get("conn_type", ""),
        host=plain_host(str(entry.get("host") or ""), f"{file}: {connection_id}"),
        port=_port(entry, str(file), connection_id),
        login=entry.get("login") or "",
        password=entry.get("password") or "",
        schema=entry.get("schema") or "",
        extra=_extra(entry, str(file), connection_id),
    )


def _port(entry: Mapping[str, Any], where: str, connection_id: str) -> int:
    try:
        return int(entry.get("port") or 0)
    except (TypeError, ValueError):
        raise SpecError("the port is no number", where=f"{where}: {connection_id}") from None


def _extra(entry: Mapping[str, Any], where: str, connection_id: str) -> Mapping[str, object]:
    """An object, or the same as JSON text, as Airflow writes it."""
    extra = entry.get("extra") or {}
    try:
        found = json.loads(extra) if isinstance(extra, str) else extra
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SpecError("extra is no JSON object", where=f"{where}: {connection_id}")
    return found


def plain_host(host: str, where: str) -> str:
    """Never an address with a login in it: whatever cannot reach it quotes it whole."""
    if "@" in host[1:] or "?" in host:  # the first letter may be that of an abstract socket
        raise SpecError(
            "a host is an address that may hold a password", where=where,
            hint="login, password, host and port are parts of their own, as holdfast connect "
                 "writes them",
        )
    return host


def authorization(login: str, password: str) -> dict[str, str]:
    """The header that logs in over HTTP; none without a login."""
    if not login:
        return {}
    return {"Authorization": f"Basic {b64encode(f'{login}:{password}'.encode()).decode()}"}


def _entries(file: Path) -> dict[str, dict[str, Any]]:
    where = str(file)
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise SpecError(
                "others may read this file of secrets", where=where, hint=f"chmod 600 {file}"
            )
        entries: dict[str, dict[str, Any]] = json.loads(file.read_text())
        json.dumps(entries, ensure_ascii=False).encode()  # no half letters: nobody can send them
    except FileNotFoundError:
        raise SpecError(
            "there is no connections file", where=where,
            hint="holdfast connect or holdfast shop up writes one",
        ) from None
    except ValueError as error:
        raise SpecError(f"not JSON: {error}", where=where) from error
    if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
        raise SpecError(
            "not an object of objects: a connection is one with conn_type, host, port", where=where,
            hint="write addresses in parts, as holdfast connect does",
        )
    return entries


def write_connection(file: Path, connection_id: str, entry: Mapping[str, object]) -> None:
    """Add or replace one connection; the others stay. The file is replaced whole, mode 0600."""
    entries = _entries(file) if file.exists() else {}
    _replace(file, {**entries, connection_id: dict(entry)})


def remove_connection(file: Path, connection_id: str) -> None:
    """Take one away, the others stay; SpecError if there is none of this id."""
    connection(file, connection_id)
    _replace(file, {name: e for name, e in _entries(file).items() if name != connection_id})


def _replace(file: Path, entries: Mapping[str, object]) -> None:
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(entries, out, indent=1)
    fresh.replace(file)
