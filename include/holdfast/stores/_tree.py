"""The log's Merkle tree in the books: grow it within a transaction, read its newest checkpoint.

Statements are made once: making one takes longer than running it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, type_coerce
from sqlalchemy.types import NullType

from holdfast.errors import EvidenceError
from holdfast.evidence.merkle import leaf_hash, root
from holdfast.evidence.tiles import complete_of, grown
from holdfast.stores._tables import CHECKPOINT, RECORD, TILE

ENVELOPE = type_coerce(RECORD.c.envelope, NullType())
"""As it is in the table: whoever writes there may have put anything."""
_HEADS = select(CHECKPOINT.c.size, CHECKPOINT.c.note, CHECKPOINT.c.at)
_NEWEST = _HEADS.order_by(CHECKPOINT.c.seq.desc()).limit(1)
_COSIGNED = _HEADS.where(CHECKPOINT.c.is_cosigned == 1).order_by(CHECKPOINT.c.seq.desc()).limit(1)
_AT = (TILE.c.level == bindparam("at_level")) & (TILE.c.number == bindparam("at_number"))
_TILE, _NO_TILE = select(TILE.c.hashes).where(_AT), delete(TILE).where(_AT)
_ADD_TILE, _ADD_HEAD = insert(TILE), insert(CHECKPOINT)
_COUNT = select(func.max(RECORD.c.number))
_MISSING = select(ENVELOPE).where(
    RECORD.c.number >= bindparam("size")).order_by(RECORD.c.number)


class Tiles:
    """The tiles of one transaction: each is read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, number: int) -> bytes:
        """The hashes of a tile; empty if there is none."""
        place = (level, number)
        if place not in self._known:
            self._known[place] = tile_of(self._connection, level, number)
        return self._known[place]

    def grow(self, size: int, envelopes: Sequence[bytes]) -> None:
        """Append records to a tree of `size`."""
        changed = grown(size, [leaf_hash(e) for e in envelopes], self)
        for (level, number), hashes in changed.items():
            self._connection.execute(_NO_TILE, {"at_level": level, "at_number": number})
            self._connection.execute(
                _ADD_TILE, {"level": level, "number": number, "hashes": hashes})
        self._known |= changed

    def root(self, size: int) -> bytes:
        """The root of the tree."""
        return root(size, complete_of(self))


def newest(connection: Connection, *, is_cosigned: bool = False) -> tuple[int, str, str]:
    """Size, note and time of the newest checkpoint; 0 and nothing if there is none."""
    row = connection.execute(_COSIGNED if is_cosigned else _NEWEST).one_or_none()
    return (0, "", "") if row is None else tuple(row)


def keep(connection: Connection, size: int, note: str, at: str, *, is_cosigned: bool) -> None:
    """Write a checkpoint down."""
    values = {"size": size, "note": note, "at": at, "is_cosigned": int(is_cosigned)}
    connection.execute(_ADD_HEAD, values)


def tile_of(connection: Connection, level: int, number: int) -> bytes:
    """Read a tile; empty if there is none."""
    found = connection.execute(_TILE, {"at_level": level, "at_number": number}).scalar()
    return found if isinstance(found, bytes) else b""


def catch_up(connection: Connection, tiles: Tiles) -> tuple[int, str]:
    """Bring in records of before the tree was kept; give the log's size and its newest note.

    EvidenceError if the log has fewer records than its newest checkpoint says.
    """
    size, note, _ = newest(connection)
    count: Any = connection.execute(_COUNT).scalar()
    there = 0 if count is None else int(count) + 1
    if there < size:
        raise EvidenceError(
            f"the log has {there} records, and its checkpoint says {size}: it was cut; put back a "
            f"copy of the store that has them"
        )
    if there > size:
        found: Sequence[Any] = connection.execute(_MISSING, {"size": size}).scalars().all()
        missing = [envelope for envelope in found if isinstance(envelope, bytes)]
        if len(missing) != there - size:
            raise EvidenceError("records of before the tree was kept are damaged: holdfast "
                                "evidence verify says which")
        tiles.grow(size, missing)
    return there, note
