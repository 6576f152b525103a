"""Read a bundle's tiles and records, and hold each record against its place in the tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.audit import places
from holdfast.audit.opened import Bundle
from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Checkpoint, read_way
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.head import check_tree
from holdfast.evidence.log import place_of
from holdfast.evidence.merkle import SIZE, leaf_hash, root_by_inclusion
from holdfast.evidence.tiles import WIDTH, grown, hashes_of, path_of
from holdfast.evidence.trouble import Trouble
from holdfast.model.record import Record

_MOST_TROUBLES = 1_000
"""So many say enough: a head may speak of more records than anybody can count."""


@dataclass(frozen=True, slots=True)
class Entries:
    """The log's leaves, the records that the bundle has of it, and what is wrong with either."""

    leaves: Sequence[bytes]
    records: Sequence[Record]
    troubles: Sequence[Trouble]


def read_entries(bundle: Bundle, first: int, checkpoint: Checkpoint | None) -> Entries:
    """Read the records from `first` to the end of the log."""
    size = 0 if checkpoint is None else checkpoint.size
    leaves = _leaves(bundle, size)
    troubles = [] if checkpoint is None else list(check_tree(checkpoint, leaves))
    troubles += _tiles(bundle, leaves)
    records = []
    for index in range(first, size):
        content = bundle.read(places.entry(index))
        if content is None:
            troubles.append(_missing(index, first, size))
            if len(troubles) > _MOST_TROUBLES:
                break
            continue
        record = _record(index, content)
        records.append(record)
        troubles += _placed(bundle, record, leaves, checkpoint)
    return Entries(leaves, records, troubles)


def _missing(index: int, first: int, size: int) -> Trouble:
    return Trouble(
        "E_ENTRY_MISSING", places.entry(index), f"record {index} of {first} to {size - 1}",
        "none", "a record was taken out",
    )


def _leaves(bundle: Bundle, size: int) -> Sequence[bytes]:
    """The leaf hashes as far as there are tiles; what is no tile ends them."""
    found: list[bytes] = []
    whole, rest = divmod(size, WIDTH)
    for number in range(whole + bool(rest)):
        width = WIDTH if number < whole else rest
        content = bundle.read(places.tile(path_of(0, number, width)))
        if content is None or len(content) % 32:
            break
        found += hashes_of(content)
    return found


def _tiles(bundle: Bundle, leaves: Sequence[bytes]) -> Iterator[Trouble]:
    """Make the whole tree again from its leaves: other tools walk down from its top."""
    for place, content in grown(0, leaves, lambda _level, _number: b"").items():
        name = places.tile(path_of(*place, len(content) // SIZE))
        if bundle.read(name) != content:
            yield Trouble("E_TILE", name, f"the tile of {len(leaves)} leaves", "another",
                          "the tree is not that of its leaves")


def _record(index: int, content: bytes) -> Record:
    """Read it as the log's own row would be; what cannot be read is told by its checks."""
    try:
        statement = statement_of(read(content))
    except EvidenceError:
        return Record(index, "", "", "", "", content)
    place = place_of(statement)
    if place is None:
        return Record(index, "", statement.predicate_type, "", "", content)
    return Record(index, place.run_id, statement.predicate_type, place.recorded_at,
                  place.previous, content)


def _placed(
    bundle: Bundle, record: Record, leaves: Sequence[bytes], checkpoint: Checkpoint | None
) -> Iterator[Trouble]:
    index, leaf = record.index, leaf_hash(record.envelope)
    wanted = leaves[index] if index < len(leaves) else b""
    if leaf != wanted:
        yield Trouble(
            "E_ENTRY_NOT_IN_LOG", places.entry(index), f"leaf {wanted.hex()[:16] or 'none'}",
            f"leaf {leaf.hex()[:16]}", f"it is not what the log has at {index}",
        )
        return
    if checkpoint is not None and not _is_proven(bundle, index, leaf, checkpoint):
        yield Trouble(
            "E_PROOF", places.proof(index), f"a way to root {checkpoint.root.hex()[:16]}",
            "another", "the proof that goes with the record proves nothing",
        )


def _is_proven(bundle: Bundle, index: int, leaf: bytes, checkpoint: Checkpoint) -> bool:
    """Whether the proof that goes with a record leads to the bundle's own head."""
    head, _, rest = (bundle.read(places.proof(index)) or b"").partition(b"\n\n")
    if rest != bundle.read(places.CHECKPOINT):
        return False
    try:
        number, way = read_way(head.decode())
    except (EvidenceError, UnicodeDecodeError):
        return False
    return number == index and checkpoint.root == root_by_inclusion(
        leaf, index, checkpoint.size, way)
