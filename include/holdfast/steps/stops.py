"""Stops that hold even when the store is down: a file that every keeper looks at."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast.model.lease import Lease

_LOCK_SECONDS = 0.2
_PAUSE = 0.01
_COARSE = 1.0
"""By how much a file may be younger than its date. Seconds."""


def write_stop(file: Path, by: str, why: str, at: str, run_id: str | None) -> None:
    """Append a stop of one run, or of every run; whole and on disk before it returns."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps({"at": at, "by": by, "why": why, "run_id": run_id}) + "\n"
    with _opened(file) as handle:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        left = ("\n" * torn + line).encode()
        while left:  # a full disk takes a part, and says so at the next
            left = left[os.write(handle, left):]
        os.fsync(handle)


def trim(file: Path) -> None:
    """Drop the lines that cannot be read, unless a stop is being written just now."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return
    good = b"".join(line + b"\n" for line in content.split(b"\n") if _read(line) is not None)
    with _opened(file) as handle:
        grown = os.fstat(handle).st_size != len(content)
        if good == content or grown or not _locked(handle):
            return
        trimmed = file.with_suffix(".new")
        trimmed.touch(mode=0o600)
        with trimmed.open("wb") as opened:
            opened.write(good)
            opened.flush()
            os.fsync(opened.fileno())
        trimmed.replace(file)


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    """The file to append to, kept from being trimmed meanwhile. Nobody is waited for long."""
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            locked = _locked(handle)
            if time.monotonic() >= until or (locked and _is(handle, file)):
                yield handle
                return
        finally:
            os.close(handle)
        time.sleep(_PAUSE)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(handle: int, file: Path) -> bool:
    """Whether the file at this place is still the opened one."""
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False


def stopped(file: Path, lease: Lease) -> str:
    """Why this lease was stopped; empty if no stop came after it was opened."""
    return _stop_of(file, lease.run_id, lease.opened_at, lease.opened_at)


def run_stopped(file: Path, run_id: str, started_at: str) -> str:
    """Why this run was stopped, be it before it had begun; empty if nobody did."""
    return _stop_of(file, run_id, "", started_at)


def _stop_of(file: Path, run_id: str, since: str, all_since: str) -> str:
    """The first stop of this run since one date, or of every run since the other.

    Dates are compared as text: all are ISO 8601 in UTC, of this host's clock. A line that cannot
    be read stops everything, unless another was written after it, or the file was last written
    before both dates.
    """
    try:
        lines = [line for line in file.read_bytes().split(b"\n") if line]
        written = datetime.fromtimestamp(file.stat().st_mtime + _COARSE, UTC).isoformat()
    except FileNotFoundError:
        return ""
    after = {run_id: since, None: all_since}
    for stop in filter(None, map(_read, lines)):
        if stop["run_id"] in after and stop["at"] >= after[stop["run_id"]]:
            return f"stopped by {stop['by']}: {stop['why']}"
    if lines and _read(lines[-1]) is None and written >= min(all_since, since or all_since):
        return f"{file} has a line that cannot be read"
    return ""


def _read(line: bytes) -> dict[str, Any] | None:
    """The stop; None if the line is torn or is not one."""
    try:
        stop = json.loads(line)
        texts = [stop["at"], stop["by"], stop["why"], stop["run_id"] or ""]
    except (ValueError, KeyError, TypeError):
        return None
    return stop if all(isinstance(text, str) for text in texts) else None
