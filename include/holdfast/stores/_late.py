"""What waits for a log that was down: signed and on disk, then in the log with its mark."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from holdfast.errors import EvidenceError, LogDownError
from holdfast.evidence.envelope import LIMIT, is_signed, read, statement_of
from holdfast.evidence.late import Late, delayed, late_of
from holdfast.evidence.log import digest, place_of
from holdfast.evidence.roles import role_of
from holdfast.model.record import Record, Role, Statement
from holdfast.stores._batch import Batch
from holdfast.stores._tables import RECORD
from holdfast.stores._tree import ENVELOPE
from holdfast.stores.spool import Spool

_ROOM = 1024
"""Bytes that the mark may need in the log."""
_log = logging.getLogger("holdfast.evidence")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits, and the statement that goes into the log for it."""

    path: Path
    record: Record
    statement: Statement


def set_aside(
    spool: Spool, batch: Batch, run_id: str, statement: Statement, why: LogDownError
) -> Record:
    """Sign what the log does not take, and have it on disk; the spool is the caller's alone.

    `batch` goes on from where the log ends. Only the kind of the database's error is signed: its
    text may tell addresses.
    """
    kind = type(why.__cause__).__name__
    told = replace(statement, predicate={**statement.predicate, "late": kind})
    record = batch.add(run_id, told)
    if len(record.envelope) > LIMIT - _ROOM:
        raise EvidenceError(f"{len(record.envelope)} bytes are too large for a record that is late")
    spool.put(record.envelope)
    _log.warning("%s of %s waits in %s: %s", record.predicate_type, run_id, spool.folder, why)
    return record


def waiting(spool: Spool, keys: Mapping[Role, Ed25519PublicKey]) -> Sequence[Waiting]:
    """What waits, in order. What is damaged, or was not signed here, is left where it is."""
    found = []
    for path, content in spool.waiting():
        try:
            found.append(_read(path, content, keys))
        except EvidenceError as error:
            _log.warning("%s is left out: %s", path, error)
    return found


def write(connection: Connection, batch: Batch, found: Sequence[Waiting]) -> bool:
    """Put what waits before all else; say whether there was anything that the log had not."""
    added = False
    for one in found:
        if not _has(connection, one):
            batch.add(one.record.run_id, one.statement)
            added = True
    return added


def _read(path: Path, content: bytes, keys: Mapping[Role, Ed25519PublicKey]) -> Waiting:
    envelope = read(content)
    statement = statement_of(envelope)
    place = place_of(statement)
    if place is None or not is_signed(envelope, keys[role_of(statement.predicate_type)]):
        raise EvidenceError("it was not signed here, or was changed")
    record = Record(place.index, place.run_id, statement.predicate_type, place.recorded_at,
                    place.previous, content)
    late = Late(place.recorded_at, place.boottime_ms, place.boot_id,
                str(statement.predicate.get("late")), digest(content))
    return Waiting(path, record, delayed(statement, late))


def _has(connection: Connection, one: Waiting) -> bool:
    """Whether it is in the log already: whoever wrote it was killed before it took the file."""
    late = late_of(one.statement)
    rows = connection.execute(select(ENVELOPE).where(
        RECORD.c.run_id == one.record.run_id,
        RECORD.c.predicate_type == one.record.predicate_type)).scalars()
    return any(_late(content) == late for content in rows)


def _late(content: object) -> Late | None:
    try:
        return late_of(statement_of(read(content))) if isinstance(content, bytes) else None
    except EvidenceError:
        return None
