"""Sign statements and append them to the evidence log: the one holder of the runner's key."""

import fcntl
import stat
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, type_coerce
from sqlalchemy.types import NullType

from holdfast.clock import Clock, SystemClock
from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, seal
from holdfast.evidence.keys import key_id, new_key, private_key, public_pem
from holdfast.evidence.log import GENESIS, Place, digest, placed
from holdfast.model.record import Record, Statement
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._files import write_durably
from holdfast.stores._tables import RECORD

_ENVELOPE = type_coerce(RECORD.c.envelope, NullType())
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class LocalNotary:
    """The log in the books, the key in a file of its owner's (made for an empty log only)."""

    def __init__(self, books: Database, key: Path, clock: Clock | None = None) -> None:
        self._books, self._key, self._clock = books, key, clock or SystemClock()

    def append(self, run_id: str, statement: Statement) -> Record:
        """Sign and write durably before returning. EvidenceError if it cannot be."""
        key = self._private_key()
        latest = select(RECORD.c.number, _ENVELOPE).order_by(RECORD.c.number.desc())
        with writing(self._books, EvidenceError) as connection:
            row = connection.execute(latest.limit(1)).one_or_none()
            index, previous = (0, GENESIS) if row is None else (row[0] + 1, _digest(*row))
            if row is not None:
                self._expect_own(row[1], key)
            place = self._place(index, previous, run_id)
            record = Record(
                index=index, run_id=run_id, predicate_type=statement.predicate_type,
                recorded_at=place.recorded_at, previous=previous,
                envelope=seal(placed(statement, place), key),
            )
            connection.execute(insert(RECORD).values(_columns(record)))
        return record

    def records(self, run_id: str | None = None) -> Sequence[Record]:
        """The log, or a run's part of it, in order; what is no envelope is given as it is."""
        query = select(
            RECORD.c.number, RECORD.c.run_id, RECORD.c.predicate_type, RECORD.c.recorded_at,
            RECORD.c.previous, _ENVELOPE,
        ).order_by(RECORD.c.number)
        if run_id is not None:
            query = query.where(RECORD.c.run_id == run_id)
        with reading(self._books, EvidenceError) as connection:
            return [Record(*row) for row in connection.execute(query)]

    def public_key(self) -> bytes:
        """The runner's public key, PEM."""
        return public_pem(self._private_key().public_key())

    def _place(self, index: int, previous: str, run_id: str) -> Place:
        return Place(
            index=index, previous=previous, run_id=run_id,
            recorded_at=self._clock.now().isoformat(timespec="milliseconds"),
            boottime_ms=round(self._clock.boottime() * 1000),
            boot_id=_BOOT_ID.read_text().strip(),
        )

    def _expect_own(self, latest: object, key: Ed25519PrivateKey) -> None:
        """Refuse a second key: its records would look signed by somebody else."""
        known = _signer(latest)
        if known not in ("", key_id(key.public_key())):
            raise EvidenceError(
                f"the records in {self._books} are signed with key {known[:16]}, and {self._key} "
                f"is another: put that key there (machines that share a store share the key), or "
                f"move {self._books} away and begin a new log"
            )

    def _private_key(self) -> Ed25519PrivateKey:
        try:
            if not self._key.exists():
                self._make_key()
            mode = stat.S_IMODE(self._key.stat().st_mode)
            if mode & 0o077:
                raise EvidenceError(
                    f"others may read the signing key {self._key} (mode {mode:04o}): "
                    f"chmod 600 {self._key}, and make a new key if somebody did"
                )
            return private_key(self._key.read_bytes())
        except OSError as error:
            raise EvidenceError(
                f"the signing key {self._key} cannot be read ({error.strerror}): "
                f"give it to the user who runs Holdfast, mode 0600"
            ) from error

    def _make_key(self) -> None:
        self._key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._key.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._key.exists():
                self._check_no_key_is_lost()
                write_durably(self._key, new_key(), 0o600)

    def _check_no_key_is_lost(self) -> None:
        """A new key beside old records would make them look signed by somebody else."""
        records = self.records()
        if not records:
            return
        known = _signer(records[-1].envelope)[:16] or "unknown: the last record is damaged"
        raise EvidenceError(
            f"the signing key {self._key} is missing, and {len(records)} records of key {known} "
            f"exist in {self._books}: put the key back, or move {self._books} away and begin a "
            f"new log; to check the records, give the public key with --key"
        )


def _digest(number: int, envelope: object) -> str:
    if not isinstance(envelope, bytes):
        raise EvidenceError("not an envelope: nothing can follow it", index=number)
    return digest(envelope)


def _signer(envelope: object) -> str:
    """The id of the key; empty if the record is damaged, which is for `verify` to tell."""
    try:
        return read(envelope).key_id if isinstance(envelope, bytes) else ""
    except EvidenceError:
        return ""


def _columns(record: Record) -> dict[str, object]:
    return {
        "number": record.index, "run_id": record.run_id, "predicate_type": record.predicate_type,
        "recorded_at": record.recorded_at, "previous": record.previous,
        "envelope": record.envelope,
    }
