"""Exports that are asked for and fetched later: each a folder with its state and its bundle."""

import fcntl
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from holdfast.audit.request import Request
from holdfast.errors import HoldfastError
from holdfast.ports.bundle import Ports
from holdfast.steps.export import export

_ID = r"[0-9a-f]{16}"
_QUEUED = timedelta(minutes=5)
"""An export that nobody has begun after this will not be begun."""
_GONE = "the process that made it is gone: ask for it again"


@dataclass(frozen=True, slots=True)
class Export:
    """One export: `state` is queued, running, done or failed; `detail` says how far, or why."""

    id: str
    asked_by: str
    asked_at: str
    request: dict[str, object]
    state: str = "queued"
    detail: str = ""
    size: int = 0


def ask(ports: Ports, request: Request, by: str) -> Export:
    """Write down that an export is wanted."""
    made = Export(secrets.token_hex(8), by, ports.clock.now().isoformat(timespec="seconds"),
                  request.as_json())
    _keep(ports, made)
    return made


def carry_out(ports: Ports, wanted: Export, request: Request) -> None:
    """Make the bundle; what goes wrong is written down, never raised."""
    with _working(ports, wanted.id):
        _make(ports, wanted, request)


def _make(ports: Ports, wanted: Export, request: Request) -> None:
    _keep(ports, replace(wanted, state="running", detail="records, files and report are packed"))
    place = bundle_of(ports, wanted.id)
    try:
        made = export(ports, request, place)
    except (HoldfastError, OSError, ValueError) as error:
        _keep(ports, replace(wanted, state="failed", detail=str(error)))
        return
    told = f"{len(made.told.runs)} of {len(made.told.population)} runs, {made.files} files"
    _keep(ports, replace(wanted, state="done", detail=told, size=made.size))


def found(ports: Ports, export_id: str) -> Export | None:
    """How an export stands; None if there is none of that id.

    One whose process is gone has failed, whatever it wrote down last.
    """
    told = _told(ports, export_id) if re.fullmatch(_ID, export_id) else None
    if told is None or not _is_due(ports, told) or _is_worked_on(ports, export_id):
        return told
    told = _told(ports, export_id) or told  # it may have ended before its lock was looked at
    return replace(told, state="failed", detail=_GONE) if _is_due(ports, told) else told


def _told(ports: Ports, export_id: str) -> Export | None:
    try:
        return Export(**json.loads(_state(ports, export_id).read_bytes()))
    except FileNotFoundError:
        return None


def _is_due(ports: Ports, told: Export) -> bool:
    """Whether somebody should be making it now."""
    waited = ports.clock.now() - datetime.fromisoformat(told.asked_at)
    return told.state == "running" or (told.state == "queued" and waited > _QUEUED)


def every(ports: Ports) -> list[Export]:
    """All exports, the latest first."""
    ids = [p.parent.name for p in _folder(ports).glob("*/export.json")]
    known = [e for e in (found(ports, i) for i in ids) if e is not None]
    return sorted(known, key=lambda e: e.asked_at, reverse=True)


def bundle_of(ports: Ports, export_id: str) -> Path:
    """Where its bundle is, or will be."""
    return _folder(ports) / export_id / "evidence.zip"


@contextmanager
def _working(ports: Ports, export_id: str) -> Iterator[None]:
    """Hold its lock, which goes with the process."""
    with _lock(ports, export_id).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_worked_on(ports: Ports, export_id: str) -> bool:
    try:
        with _lock(ports, export_id).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _lock(ports: Ports, export_id: str) -> Path:
    return _folder(ports) / export_id / "lock"


def _keep(ports: Ports, made: Export) -> None:
    place = _state(ports, made.id)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = place.with_suffix(".new")
    new.write_text(json.dumps(asdict(made), indent=1))
    new.replace(place)


def _state(ports: Ports, export_id: str) -> Path:
    return _folder(ports) / export_id / "export.json"


def _folder(ports: Ports) -> Path:
    return ports.settings.exports


