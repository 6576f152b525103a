"""The log's Merkle tree in the books: grow it within a transaction, read its newest checkpoint."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, type_coerce
from sqlalchemy.types import NullType

from holdfast.errors import EvidenceError
from holdfast.evidence.merkle import leaf_hash
from holdfast.evidence.tiles import grown
from holdfast.stores._tables import CHECKPOINT, RECORD, TILE

ENVELOPE = type_coerce(RECORD.c.envelope, NullType())
"""As it is in the table: whoever writes there may have put anything."""


def newest(connection: Connection, *, is_cosigned: bool = False) -> tuple[int, str, str]:
    """Size, note and time of the newest checkpoint; 0 and nothing if there is none."""
    query = select(CHECKPOINT.c.size, CHECKPOINT.c.note, CHECKPOINT.c.at)
    if is_cosigned:
        query = query.where(CHECKPOINT.c.is_cosigned == 1)
    row = connection.execute(query.order_by(CHECKPOINT.c.seq.desc()).limit(1)).one_or_none()
    return (0, "", "") if row is None else tuple(row)


def keep(connection: Connection, size: int, note: str, at: str, *, is_cosigned: bool) -> None:
    """Write a checkpoint down."""
    values = {"size": size, "note": note, "at": at, "is_cosigned": int(is_cosigned)}
    connection.execute(insert(CHECKPOINT).values(values))


def tile_of(connection: Connection, level: int, number: int) -> bytes:
    """Read a tile; empty if there is none."""
    found = connection.execute(
        select(TILE.c.hashes).where(TILE.c.level == level, TILE.c.number == number)
    ).scalar()
    return found if isinstance(found, bytes) else b""


def grow(connection: Connection, size: int, envelopes: Sequence[bytes]) -> None:
    """Append records to a tree of `size`."""
    leaves = [leaf_hash(e) for e in envelopes]
    changed = grown(size, leaves, lambda level, number: tile_of(connection, level, number))
    for (level, number), hashes in changed.items():
        place: dict[str, Any] = {"level": level, "number": number}
        connection.execute(delete(TILE).where(
            TILE.c.level == level, TILE.c.number == number))
        connection.execute(insert(TILE).values(place | {"hashes": hashes}))


def catch_up(connection: Connection) -> int:
    """Bring in records of before the tree was kept; give the tree's size.

    EvidenceError if the log has fewer records than its newest checkpoint says.
    """
    size, _, _ = newest(connection)
    count = connection.execute(select(func.max(RECORD.c.number))).scalar()
    there = 0 if count is None else int(count) + 1
    if there < size:
        raise EvidenceError(
            f"the log has {there} records, and its checkpoint says {size}: it was cut; put back a "
            f"copy of the store that has them"
        )
    found: Sequence[Any] = connection.execute(
        select(ENVELOPE).where(RECORD.c.number >= size).order_by(RECORD.c.number)
    ).scalars().all() if there > size else []
    missing = [envelope for envelope in found if isinstance(envelope, bytes)]
    if len(missing) != there - size:
        raise EvidenceError("records of before the tree was kept are damaged: holdfast evidence "
                            "verify says which")
    grow(connection, size, missing)
    return there
