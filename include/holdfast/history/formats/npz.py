"""Columns that Holdfast saved (`holdfast check --save`)."""

from dataclasses import dataclass

from holdfast.history.columns import History
from holdfast.history.source import Reader, Source
from holdfast.history.store import load


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Columns that are there already."""

    name: str
    content: bytes

    def history(self) -> History:
        return load(self.name, self.content)


class Npz:
    """A zip file of arrays, not compressed."""

    def fits(self, head: bytes) -> bool:
        """A zip file."""
        return head.startswith(b"PK\x03\x04")

    def read(self, source: Source) -> _Loaded:
        """Read it whole."""
        return _Loaded(source.name, source.whole())


READER: Reader = Npz()
