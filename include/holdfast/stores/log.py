"""Read the evidence log as a tree: its head, its tiles, proofs that a record is in it."""

from sqlalchemy import Connection

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Proof, checkpoint_of
from holdfast.evidence.merkle import Complete, consistency, inclusion
from holdfast.evidence.note import read_note
from holdfast.evidence.tiles import complete_of
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._tree import Tiles, keep, newest, tile_of


class SqlLog:
    """The log's tree in the books."""

    def __init__(self, books: Database) -> None:
        self._books = books

    def head(self, *, is_cosigned: bool = False) -> tuple[str, str]:
        """The newest checkpoint, a signed note, and when it was made; empty for an empty log.

        With `is_cosigned`, the newest that enough witnesses have signed too.
        """
        with reading(self._books, EvidenceError) as connection:
            _, note, at = newest(connection, is_cosigned=is_cosigned)
            return note, at

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile as far as there are; empty if there is none."""
        with reading(self._books, EvidenceError) as connection:
            return tile_of(connection, level, number)

    def proof(self, index: int) -> str:
        """Prove that a record is in the log, by its newest head: a tlog-proof.

        EvidenceError if the log has no such record.
        """
        with reading(self._books, EvidenceError) as connection:
            note = read_note(newest(connection)[1]) if newest(connection)[1] else None
            size = 0 if note is None else checkpoint_of(note).size
            if note is None or not 0 <= index < size:
                raise EvidenceError(f"the log has {size} records, and no record {index}")
            return str(Proof(index, inclusion(index, size, _complete(connection)), note))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the log of `new` records begins with that of `old`."""
        with reading(self._books, EvidenceError) as connection:
            return tuple(consistency(old, new, _complete(connection)))

    def keep_head(self, note: str, at: str, *, is_cosigned: bool) -> None:
        """Write down a checkpoint that witnesses have signed too."""
        with writing(self._books, EvidenceError) as connection:
            keep(connection, checkpoint_of(read_note(note)).size, note, at,
                 is_cosigned=is_cosigned)


def _complete(connection: Connection) -> Complete:
    """Read each tile once."""
    return complete_of(Tiles(connection))
