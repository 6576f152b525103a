"""Journals as append-only files, one for each lease, each line on disk before its deed."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from holdfast.clock import Clock, SystemClock
from holdfast.errors import EvidenceError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.leases import Line
from holdfast.stores._journal_lines import as_bytes, first_line, parse

RESERVED = 16 * 1024
"""Bytes set aside at creation: a fault's whole life needs fewer, so a full disk does no harm."""


class FileJournal:
    """One journal. Whoever writes holds the lease's claim."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock

    def write(self, state: LeaseState, **facts: object) -> None:
        """Append a line and force it to disk, over what was left of a torn one."""
        handle = os.open(self._path, os.O_RDWR)
        try:
            content = self._path.read_bytes()
            lines, end = parse(content, str(self._path))
            line = as_bytes(self._next(len(lines), state, facts))
            torn = len(content[end:].rstrip(b"\0"))
            os.pwrite(handle, line + b"\0" * max(0, torn - len(line)), end)
            os.fsync(handle)
        finally:
            os.close(handle)

    def lines(self) -> Sequence[Line]:
        """Every whole line.

        A last line that was torn by a crash never came before its deed, and is left out; damage
        anywhere else is EvidenceError with its place.
        """
        return parse(self._path.read_bytes(), str(self._path))[0]

    def recipe(self) -> Recipe:
        """The recipe, from the first line alone: damage behind it does not stop a revert."""
        found = self._first("recipe")
        undo = found.get("undo")
        if not isinstance(undo, dict) or not {"lease_id", "fault_type"} <= found.keys():
            raise EvidenceError(f"{self._path}: the recipe is not whole", index=0)
        return Recipe(str(found["lease_id"]), str(found["fault_type"]), undo)

    def lease(self) -> Lease:
        """The lease as it was opened, from the first line alone."""
        found = self._first("lease")
        try:
            return Lease(**(found | {"state": LeaseState(found["state"])}))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            text = f"{self._path}: the lease is of another version: {error}"
            raise EvidenceError(text, index=0) from error

    def _first(self, part: str) -> dict[str, object]:
        found = first_line(self._path.read_bytes(), str(self._path)).facts.get(part)
        if not isinstance(found, dict):
            raise EvidenceError(f"{self._path}: the first line has no {part}", index=0)
        return found

    def _next(self, seq: int, state: LeaseState, facts: dict[str, object]) -> Line:
        return Line(seq, state, self._clock.boottime(), self._clock.now().isoformat(), facts)


class FileJournals:
    """The journals of this host: `<lease>.jsonl`, and `<lease>.lock` for who may write it."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder, self._clock = folder, clock or SystemClock()

    def create(self, lease: Lease, fault: Fault, recipe: Recipe) -> FileJournal:
        """A new journal with space reserved and everything a revert needs as its first line."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(lease.id)
        unfinished = path.with_suffix(".new")
        handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(handle, 0, RESERVED)
        finally:
            os.close(handle)
        FileJournal(unfinished, self._clock).write(
            LeaseState.OPENED, lease=asdict(lease), fault=_fault(fault), recipe=asdict(recipe)
        )
        os.link(unfinished, path)  # refuses where a journal is, unlike a rename
        unfinished.unlink()
        _sync_folder(self._folder)
        return FileJournal(path, self._clock)

    def open(self, lease_id: str) -> FileJournal:
        """An existing one; KeyError if there is none."""
        path = self._path(lease_id)
        if not path.exists():
            raise KeyError(lease_id)
        return FileJournal(path, self._clock)

    def ids(self) -> Sequence[str]:
        """Every lease that has a journal here."""
        return sorted(path.stem for path in self._folder.glob("*.jsonl"))

    @contextmanager
    def claim(self, lease_id: str) -> Iterator[bool]:
        """The lease's file lock, without waiting; a fork of the holder holds it too."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._path(lease_id).with_suffix(".lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:  # a read-only disk: a lock needs no write
            handle = os.open(lock, os.O_RDONLY)
        try:
            yield _locked(handle)
        finally:
            os.close(handle)

    def _path(self, lease_id: str) -> Path:
        if not lease_id or "/" in lease_id or lease_id.startswith("."):
            raise KeyError(lease_id)
        return self._folder / f"{lease_id}.jsonl"


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fault(fault: Fault) -> dict[str, object]:
    return asdict(fault) | {
        "duration": fault.duration.total_seconds(),
        "delay": fault.delay.total_seconds(),
    }


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
