"""Read a workload's own log (JSONL, Jepsen's field names) as operations."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from holdfast.errors import CheckError
from holdfast.model.operation import Operation

_SECOND = 1_000_000_000
_SLACK = 60 * _SECOND
"""How far completions may stand from their invocations, and lines from the order of time."""


def operations(path: Path, since: float, until: float | None = None) -> list[Operation]:
    """Read the operations sent in [since, until), by CLOCK_BOOTTIME seconds, in order of sending.

    One without a completion is `info`: nobody knows. A last line that a crash tore is left out;
    any other damaged line is a CheckError with its place.
    """
    done: list[Operation] = []
    pending: dict[int, Operation] = {}
    for entry in _entries(path, since):
        process = entry["process"]
        if entry["type"] == "invoke":
            if process in pending:
                done.append(pending.pop(process))
            pending[process] = _invoked(entry)
        elif process in pending:
            done.append(_completed(pending.pop(process), entry))
    done.extend(pending.values())
    inside = (o for o in done if o.invoked >= since and (until is None or o.invoked < until))
    return sorted(inside, key=lambda operation: operation.invoked)


def lines(path: Path, since: float) -> bytes:
    """Copy the lines of the log from `since` on, as they are."""
    with _opened(path) as file:
        _seek(file, round(since * _SECOND))
        kept = _of_this_boot(_parsed(file, path))
    return b"".join(line for line, entry in kept if entry["time"] >= since * _SECOND)


def _entries(path: Path, since: float) -> list[dict[str, Any]]:
    with _opened(path) as file:
        _seek(file, round(since * _SECOND) - _SLACK)
        return [entry for _, entry in _of_this_boot(_parsed(file, path))]


def _of_this_boot(
    parsed: Iterator[tuple[bytes, dict[str, Any]]]
) -> list[tuple[bytes, dict[str, Any]]]:
    """Forget what is before a fall of the clock: the log goes on, the machine was started anew."""
    kept: list[tuple[bytes, dict[str, Any]]] = []
    for line, entry in parsed:
        if kept and entry["time"] < kept[-1][1]["time"] - _SLACK:
            kept.clear()
        kept.append((line, entry))
    return kept


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CheckError(f"the history {path} cannot be read: {error.strerror}") from error


def _seek(file: BinaryIO, time: int) -> None:
    """Go to a line before the first at or after `time`: the log grows in order of time."""
    low, high = 0, file.seek(0, 2)
    while high - low > 1 << 16:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        if _time(file.readline()) < time:
            low = middle
        else:
            high = middle
    file.seek(low)
    if low:
        file.readline()


def _time(line: bytes) -> int:
    try:
        return int(json.loads(line)["time"])
    except (ValueError, KeyError, TypeError):
        return 0  # not for this search to judge: the reader will meet the line


def _parsed(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    start = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            return  # torn, or still being written
        start += len(line)
        yield line, _entry(line, path, start)


def _entry(line: bytes, path: Path, end: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        if not isinstance(entry["time"], int) or not isinstance(entry["process"], int):
            raise TypeError("time and process must be integers")
        if entry["type"] not in ("invoke", "ok", "fail", "info"):
            raise TypeError(f"unknown type {entry['type']!r}")
        return dict(entry)
    except (ValueError, KeyError, TypeError) as error:
        number = path.read_bytes()[:end].count(b"\n")
        raise CheckError(f"{path}: line {number} is damaged: {error!r}") from error


def _invoked(entry: dict[str, Any]) -> Operation:
    sent = _seconds(entry["time"])
    return Operation(
        index=int(entry.get("index", -1)), process=entry["process"],
        f=str(entry.get("f", "")), value=entry.get("value"),
        intended=_seconds(entry.get("intended", entry["time"])), invoked=sent,
        completed=None, outcome="info", error="no completion in the log",
    )


def _completed(invoked: Operation, entry: dict[str, Any]) -> Operation:
    return replace(
        invoked, completed=_seconds(entry["time"]), error=str(entry.get("error") or ""),
        outcome=entry["type"],
    )


def _seconds(time: int) -> float:
    return time / _SECOND
