"""Stops that hold even when the store is down: a file that every keeper looks at."""

import json
import os
from pathlib import Path

from holdfast.model.lease import Lease


def write_stop(file: Path, by: str, why: str, at: str, run_id: str | None) -> None:
    """Append a stop of one run, or of every run; on disk before it returns."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps({"at": at, "by": by, "why": why, "run_id": run_id}) + "\n"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def stopped(file: Path, lease: Lease) -> str:
    """Why this lease was stopped; empty if no stop came after it was opened."""
    return _stop_of(file, lease.run_id, lease.opened_at, lease.opened_at)


def run_stopped(file: Path, run_id: str, started_at: str) -> str:
    """Why this run was stopped, be it before it had begun; empty if nobody did."""
    return _stop_of(file, run_id, "", started_at)


def _stop_of(file: Path, run_id: str, since: str, all_since: str) -> str:
    """The first stop of this run since one date, or of every run since the other.

    Dates are compared as text: all are ISO 8601 in UTC, of this host's clock. A line that cannot
    be read stops everything.
    """
    try:
        lines = file.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    for line in lines:
        try:
            stop = json.loads(line)
            after = {run_id: since, None: all_since}
            concerned = stop["run_id"] in after and stop["at"] >= after[stop["run_id"]]
        except (ValueError, KeyError, TypeError):
            return f"{file} has a line that cannot be read"
        if concerned:
            return f"stopped by {stop['by']}: {stop['why']}"
    return ""
