"""Fill the small file system that a server's data are on."""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from holdfast.errors import FaultError
from holdfast.faults._selector import address
from holdfast.faults.postgres import _disk
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MARK = "holdfast-"
_AGAIN = 0.2
_MARGIN = 15.0
_ENOUGH = 1 << 20
_FILLING: dict[str, tuple[threading.Event, threading.Thread]] = {}
"""What this process fills, by the file's name."""


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back; `free` are the bytes that were free at arm."""

    folder: str
    file: str
    free: int
    limit: float

    @classmethod
    def of(cls, recipe: Recipe) -> "_Undo":
        return cls(**cast("dict[str, Any]", recipe.undo))


class DiskFullDriver:
    """Take all that is free on a file system of its own, and whatever becomes free.

    Only one that is mounted on the folder itself and has at most 1 GiB: a host's disk is never
    filled. PostgreSQL goes on reading; a standby stops receiving, a primary stops writing.
    """

    effect = Effect.HELD
    address = "disk"
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The file system, if it is small and its own."""
        folder, disk = _find(fault)
        name = f"{folder.name} ({disk.free >> 20} of {disk.size >> 20} MiB free)"
        return [Target(name, fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember how much was free."""
        folder, disk = _find(fault)
        limit = fault.duration.total_seconds() + _MARGIN
        undo = _Undo(str(folder), f"{_MARK}{lease_id}", disk.free, limit)
        return Recipe(lease_id, fault.type, asdict(undo))

    def inject(self, recipe: Recipe) -> None:
        """Fill it, then go on in a thread that lives as long as this process."""
        undo = _Undo.of(recipe)
        if undo.file in _FILLING:
            return
        disk = _disk.find(Path(undo.folder), undo.folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        handle = os.open(disk.root / undo.file, flags, 0o600)
        _disk.fill(handle)
        stop = threading.Event()
        thread = threading.Thread(target=_go_on, args=(handle, stop, undo.limit), daemon=True)
        _FILLING[undo.file] = (stop, thread)
        thread.start()

    def revert(self, recipe: Recipe) -> None:
        """Remove the file wherever it can be seen."""
        undo = _Undo.of(recipe)
        stop, thread = _FILLING.pop(undo.file, (None, None))
        if stop is not None and thread is not None:
            stop.set()
            thread.join()
        for file in _disk.everywhere(Path(undo.folder), undo.file):
            file.unlink(missing_ok=True)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What the file system says is free: also a removed file fills it while it is open."""
        undo = _Undo.of(recipe)
        disk = _disk.find(Path(undo.folder), undo.folder)
        marks = [entry.name for entry in os.scandir(disk.root) if entry.name.startswith(_MARK)]
        if undo.file in marks:
            return [f"{undo.file} is there, {disk.free} bytes are free"]
        if not marks and disk.free < min(_ENOUGH, undo.free // 2):
            return [f"{disk.free} bytes are free in {undo.folder}, {undo.free} were"]
        return []


def _go_on(handle: int, stop: threading.Event, seconds: float) -> None:
    """Take what becomes free, until told to stop or the limit is reached; then let all of it go."""
    until = time.monotonic() + seconds
    try:
        while not stop.wait(_AGAIN) and time.monotonic() < until:
            _disk.fill(handle)
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _find(fault: Fault) -> tuple[Path, _disk.Disk]:
    relative = address(fault, "disk")
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise FaultError("a disk's folder must lie below home", target=relative)
    folder = (Path(fault.home) / relative).absolute()
    return folder, _disk.find(folder, relative)


DRIVER: FaultDriver = DiskFullDriver()
