"""A file on its way in: bounded, digested, and seen to progress."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from holdfast.errors import SpecError
from holdfast.history.columns import History

LARGEST = 8 << 30
"""Files above this many bytes are refused."""
LARGEST_TEXT = 1 << 30
"""The same for formats that are read whole."""
LONGEST_LINE = 256 << 20
_CHUNK = 8 << 20

Advance = Callable[[int], None]
"""Told how many bytes have been read since last time."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open history file."""

    name: str
    size: int
    _file: BinaryIO
    _advance: Advance
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """SHA-256 of what has been read."""
        return str(self._hash.hexdigest())

    def head(self) -> bytes:
        """The first bytes, for telling its format."""
        found = self._file.read(1 << 16)
        self._file.seek(0)
        return found

    def text(self) -> str:
        """All of it."""
        return self.whole().decode("utf-8", "strict")

    def whole(self) -> bytes:
        """All of it."""
        if self.size > LARGEST_TEXT:
            raise SpecError(f"{self.size >> 20} MB; this format is read up to {LARGEST_TEXT >> 20}",
                            where=self.name, hint="write it as JSON, one row a line")
        return self._read(-1)

    def chunks(self) -> Iterator[bytes]:
        """All of it, by whole lines; the last may lack its end."""
        rest = b""
        while block := self._read(_CHUNK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
                if len(rest) > LONGEST_LINE:
                    raise SpecError(f"a line of more than {LONGEST_LINE >> 20} MB", where=self.name,
                                    hint="a history has one row a line")
        if rest:
            yield rest

    def _read(self, size: int) -> bytes:
        block = self._file.read(size)
        self._hash.update(block)
        self._advance(len(block))
        return block


class Rows(Protocol):
    """What was read."""

    def history(self) -> History:
        """Give it as columns; one that contradicts itself is a SpecError with its place."""


class Reader(Protocol):
    """Reads one format; found by the name of its file, which is the name of the format."""

    def fits(self, head: bytes) -> bool:
        """Whether a file that begins so is of this format."""

    def read(self, source: Source) -> Rows:
        """Take in all rows; a SpecError has the line and the nearest cure."""


def sized(path: Path) -> int:
    """The size of a file that may be read."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SpecError(f"it cannot be read: {error.strerror}", where=str(path),
                        hint="name a history file") from error
    if not path.is_file():
        raise SpecError("it is no file", where=str(path), hint="name a history file")
    if size > LARGEST:
        raise SpecError(f"{size >> 30} GB; up to {LARGEST >> 30} are read", where=str(path),
                        hint="split it by key")
    return size
