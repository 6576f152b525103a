"""Find a small file system of its own, also where only its users' mount namespace has it."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import FaultError

LARGEST = 1 << 30
_PIECE = 64 << 20
_SMALLEST = 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system as it is reached from here."""

    root: Path

    @property
    def size(self) -> int:
        """Bytes in all."""
        there = os.statvfs(self.root)
        return there.f_blocks * there.f_frsize

    @property
    def free(self) -> int:
        """Bytes that anybody may still write."""
        there = os.statvfs(self.root)
        return there.f_bavail * there.f_frsize


def find(folder: Path, target: str) -> Disk:
    """The file system that is mounted on the folder; refuse any that is not small or not its own.

    So a host's disk, or the one that Holdfast itself writes to, is never filled.
    """
    seen = list(_views(folder))
    if not seen:
        raise FaultError("there is no such folder", target=target)
    mounted = [path for path in seen if path.stat().st_dev != path.parent.stat().st_dev]
    if not mounted:
        text = "is no file system of its own: to fill it would fill the host's disk"
        raise FaultError(text, target=target)
    disk = Disk(mounted[0])
    if disk.size > LARGEST:
        text = f"its file system has {disk.size >> 20} MiB, more than the {LARGEST >> 20} allowed"
        raise FaultError(text, target=target)
    return disk


def everywhere(folder: Path, name: str) -> list[Path]:
    """Every file of this name in the folder, whoever sees it."""
    return [path / name for path in _views(folder) if (path / name).exists()]


def fill(handle: int) -> None:
    """Reserve space for the file until there is none; an error other than that is the caller's."""
    piece = _PIECE
    while piece >= _SMALLEST:
        try:
            os.posix_fallocate(handle, os.fstat(handle).st_size, piece)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            piece //= 2


def _views(folder: Path) -> Iterator[Path]:
    """The folder as each mount namespace has it, each file system once, our own view first."""
    known = set()
    for path in (folder, *_elsewhere(folder)):
        try:
            device = path.stat().st_dev
        except OSError:  # not there, or not for us to see
            continue
        if device not in known:
            known.add(device)
            yield path


def _elsewhere(folder: Path) -> Iterator[Path]:
    spaces = set()
    for entry in sorted(Path("/proc").iterdir()):
        if not entry.name.isdigit():
            continue
        try:
            space = (entry / "ns" / "mnt").readlink()
        except OSError:  # gone, or somebody else's
            continue
        if space not in spaces:
            spaces.add(space)
            yield entry / "root" / folder.relative_to("/")
