"""Damage one page of a table's file so that the same act mends it, and recognise the damage."""

import hashlib
import os
import signal
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.clients import processes
from holdfast.errors import TransientFaultError

_HEADER = struct.Struct("<QHHHHHH")
"""LSN, checksum, flags, lower, upper, special, size and version; in C's order on this machine."""
_AT = 8
_DAMAGED = 12
_TRIES = 8
_KNOWN_FLAGS = 0x0007
_VERSION = 4
_STOPPED_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class Page:
    """One block of a file. The mask is the mark: laid over the header twice it is not there."""

    file: Path
    block: int
    size: int
    mask: bytes

    def is_there(self) -> bool:
        """Whether the file still has this block."""
        return self.file.exists() and self.file.stat().st_size >= (self.block + 1) * self.size

    def is_whole(self) -> bool:
        """Whether the header is one that a server would accept."""
        return _is_sane(self._header(), self.size)

    def is_ours(self) -> bool:
        """Whether the header is damaged, and taking the mask away would make it whole."""
        header = self._header()
        return not _is_sane(header, self.size) and _is_sane(_laid(header, self.mask), self.size)

    def lay(self) -> None:
        """Lay the mask over the header, on disk before it returns."""
        handle = os.open(self.file, os.O_RDWR)
        try:
            at = self.block * self.size
            header = os.pread(handle, _HEADER.size, at)
            os.pwrite(handle, _laid(header, self.mask), at)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _header(self) -> bytes:
        with self.file.open("rb") as file:
            file.seek(self.block * self.size)
            return file.read(_HEADER.size)


def mask(lease_id: str) -> bytes:
    """The mark: bytes made of the lease id, none of them zero."""
    digest = hashlib.sha256(lease_id.encode()).digest()[:_DAMAGED]
    return bytes(byte or 1 for byte in digest)


def candidates(blocks: int, lease_id: str) -> Sequence[int]:
    """Some blocks of the older half of a file: what was filled long ago is not soon written again.

    Leases begin at different ones.
    """
    older = (blocks + 1) // 2
    first = int.from_bytes(hashlib.sha256(lease_id.encode()).digest()[-4:], "big")
    return [(first + n) % older for n in range(min(older, _TRIES))]


@contextmanager
def frozen(folder: str) -> Iterator[None]:
    """Stop the server's processes meanwhile: none of them may write the page at the same time."""
    members = processes.working_in(folder)
    until = time.monotonic() + _STOPPED_WITHIN
    try:
        for process in members:
            processes.send(process, signal.SIGSTOP)
        while any(_runs(process) for process in members):
            if time.monotonic() > until:
                text = f"its processes do not stop within {_STOPPED_WITHIN:g} s"
                raise TransientFaultError(text, target=folder)
            time.sleep(0.002)
        yield
    finally:
        thaw(folder)


def thaw(folder: str) -> None:
    """Let the server's processes go on, also those that somebody else left stopped who died."""
    for process in processes.working_in(folder):
        if process.is_stopped:
            processes.send(process, signal.SIGCONT)


def _runs(process: processes.Process) -> bool:
    now = processes.same(process.pid, process.start)
    return now is not None and not now.is_stopped


def _laid(header: bytes, over: bytes) -> bytes:
    middle = bytes(a ^ b for a, b in zip(header[_AT:], over, strict=True))
    return header[:_AT] + middle


def _is_sane(header: bytes, size: int) -> bool:
    if len(header) < _HEADER.size:
        return False
    _, _, flags, lower, upper, special, layout = _HEADER.unpack(header)
    ordered: bool = _HEADER.size < lower <= upper <= special <= size
    return ordered and bool(layout == size | _VERSION) and bool(flags <= _KNOWN_FLAGS)
