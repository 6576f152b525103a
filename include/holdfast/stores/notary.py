"""Sign statements and append them to the evidence log: the one holder of its keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, func, insert, select

from holdfast.clock import Clock, SystemClock
from holdfast.errors import EvidenceError, LogDownError
from holdfast.evidence.checkpoint import Checkpoint, read_checkpoint
from holdfast.evidence.envelope import read, seal, statement_of
from holdfast.evidence.keys import key_id, public_pem
from holdfast.evidence.log import GENESIS, digest
from holdfast.evidence.note import Note, signed
from holdfast.evidence.roles import KEY_EVENT, RoleKey, announced, announcement
from holdfast.evidence.rotation import retired, retired_at, rotation
from holdfast.evidence.trust import origin_of
from holdfast.model.record import Record, Role, Statement
from holdfast.stores._batch import Batch, Claim, Keys, Queue
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._late import Waiting, set_aside, waiting, write
from holdfast.stores._tables import RECORD
from holdfast.stores._tree import ENVELOPE, Tiles, catch_up, keep, newest
from holdfast.stores.keys import KeyFiles
from holdfast.stores.spool import Spool

_ADD = insert(RECORD)
_LAST = select(RECORD.c.number, ENVELOPE).order_by(RECORD.c.number.desc()).limit(1)
_RECORDS = select(
    RECORD.c.number, RECORD.c.run_id, RECORD.c.predicate_type, RECORD.c.recorded_at,
    RECORD.c.previous, ENVELOPE,
).order_by(RECORD.c.number)
_LARGEST_SIGNED = 64 * 2**20
"""What is no record may be larger than one: the list of a bundle's files. Bytes."""
_OURS = (Role.RUNNER, Role.APPROVER, Role.LOG, Role.EXPORTER)
_ROTATED = (Role.RUNNER, Role.APPROVER, Role.EXPORTER)
_EVENTS = select(ENVELOPE).where(RECORD.c.predicate_type == KEY_EVENT).order_by(RECORD.c.number)


@dataclass(slots=True)
class _Writing:
    """A transaction that appends: the log as it was, and the records that are to follow."""

    keys: Keys
    tiles: Tiles
    batch: Batch
    size: int
    note: str


class LocalNotary:
    """The log in the books, keys in files of their owner's.

    What is asked for while another thread writes is written with the next, in one transaction.
    """

    def __init__(self, books: Database, keys: Path, clock: Clock | None = None) -> None:
        self._books, self._clock = books, clock or SystemClock()
        self._keys = KeyFiles(keys, self._check_no_key_is_lost)
        self._queue = Queue()
        self._spool = Spool(keys.parent / "spool")
        self._announced: frozenset[str] = frozenset()

    def append(self, run_id: str, statement: Statement, *, may_wait: bool = False) -> Record:
        """Sign and write durably before returning. EvidenceError if it cannot be.

        With `may_wait` a record that a log which is down cannot take is signed, and waits.
        """
        claim = Claim(run_id, statement)
        if self._queue.join(claim):
            self._lead()
        try:
            return claim.result()
        except LogDownError as error:
            if not may_wait:
                raise
            return self._set_aside(claim, statement, error)

    def so_far(self, run_id: str) -> Sequence[Record]:
        """A run's records, with those that wait: they have the numbers that they would have had."""
        found = [*self.records(run_id)]
        return found + [w.record for w in self._waiting() if w.record.run_id == run_id]

    def drain(self) -> int:
        """Write what waits; say how many still do."""
        if self._spool.is_empty():
            return 0
        if self._queue.join(Claim()):
            self._lead()
        return len(self._spool.waiting())

    def _waiting(self) -> Sequence[Waiting]:
        if self._spool.is_empty():
            return ()
        return waiting(self._spool, _public(self._own_keys()))

    def _set_aside(self, claim: Claim, statement: Statement, why: LogDownError) -> Record:
        keys = self._own_keys()
        with self._spool.alone():
            with reading(self._books, EvidenceError) as connection:
                last: int | None = connection.execute(select(func.max(RECORD.c.number))).scalar()
            number = (-1 if last is None else last) + 1 + len(self._spool.waiting())
            batch = Batch(keys, self._clock, number, "spool")
            return set_aside(self._spool, batch, claim.run_id, statement, why)

    def _lead(self) -> None:
        try:
            self._write_waiting()
        finally:
            self._queue.leave()

    def records(self, run_id: str | None = None) -> Sequence[Record]:
        """The log, or a run's part of it, in order; what is no envelope is given as it is."""
        query = _RECORDS if run_id is None else _RECORDS.where(RECORD.c.run_id == run_id)
        with reading(self._books, EvidenceError) as connection:
            return [Record(*row) for row in connection.execute(query)]

    def key_events(self) -> Sequence[bytes]:
        """The envelopes that announce keys, in order."""
        with reading(self._books, EvidenceError) as connection:
            return _events(connection)

    def rotate(self, role: Role) -> Record:
        """Make a new key for a role, and tell the log, by the old runner's key and by the new.

        The old key's file stays beside it, for whoever puts an older log back. Killed in the
        middle, either nothing has changed or the next to sign ends it. EvidenceError for the log's
        own key.
        """
        if role not in _ROTATED:
            raise EvidenceError(f"the log is named after its key: to change that, move "
                                f"{self._books} away and begin a new log")
        if left := self.drain():
            raise EvidenceError(f"{left} records wait in {self._spool.folder}, signed by the keys "
                                "of now: they must be in the log first")
        self._own_keys()
        new = self._keys.next(role)
        with writing(self._books, EvidenceError) as connection:
            now = self._begin(connection)
            old = retired_at(role, now.keys[role].public_key(), self._clock.now())
            former = [*_retired(connection, now.keys), old]
            rotated = now.batch.add("", rotation(old, new.public_key()))
            now.keys = {**now.keys, role: new}
            now.batch.sign_with(now.keys)
            now.batch.add("", announcement(_public(now.keys), former))
            self._end(connection, now)
        self._keys.turn(role)
        return rotated

    def public_key(self, role: Role = Role.RUNNER) -> bytes:
        """The public key of a role, PEM."""
        self._end_rotation()
        return public_pem(self._keys.private(role).public_key())

    def sign(self, statement: Statement, role: Role) -> bytes:
        """Sign what is no record of the log: an envelope."""
        self._end_rotation()
        return seal(statement, self._keys.private(role), _LARGEST_SIGNED)

    def sign_head(self) -> None:
        """Sign the head of a log that has records of before heads were kept; else do nothing."""
        with writing(self._books, EvidenceError) as connection:
            tiles = Tiles(connection)
            size, note = catch_up(connection, tiles)
            if size > newest(connection)[0]:
                self._sign(connection, self._own_keys(), tiles.root(size), (size, note))

    def _own_keys(self) -> Keys:
        return {role: self._keys.private(role) for role in _OURS}

    def _end_rotation(self, connection: Connection | None = None) -> None:
        """Put new keys in place that the log has announced: whoever made them was killed."""
        for role in [r for r in _ROTATED if self._keys.has_next(r)]:
            new = key_id(self._keys.next(role).public_key())
            if connection is not None:
                known = _announced(connection)
            else:
                with reading(self._books, EvidenceError) as looking:
                    known = _announced(looking)
            if new in known:
                self._keys.turn(role)

    def _write_waiting(self) -> None:
        claims = self._queue.taken()
        try:
            self._own_keys()  # made, if they must be, before the database is locked
            if self._spool.is_empty():
                self._write(claims)
            else:
                with self._spool.alone():
                    self._write(claims, self._waiting())
        except EvidenceError as error:
            for claim in claims:
                claim.fail(error)
        finally:
            for claim in claims:
                if claim.record is None:
                    claim.fail(EvidenceError("whoever was to write it was interrupted"))
                claim.call()

    def _write(self, claims: Sequence[Claim], late: Sequence[Waiting] = ()) -> None:
        """Records, tree and checkpoint in one transaction: never one without the others.

        What waits comes first, and is taken away when it is in the log.
        """
        written = list[tuple[Claim, Record]]()
        with writing(self._books, LogDownError) as connection:
            now = self._begin(connection)
            is_more = write(connection, now.batch, late)
            for claim in claims:
                try:
                    if claim.statement is not None:
                        written.append((claim, now.batch.add(claim.run_id, claim.statement)))
                except EvidenceError as error:
                    claim.fail(error)
            if written or is_more:
                self._end(connection, now)
        self._spool.drop([one.path for one in late])
        for claim, record in written:
            claim.record = record

    def _begin(self, connection: Connection) -> _Writing:
        """See where the log ends, with the keys as they are now; announce those that are new."""
        self._end_rotation(connection)
        keys, tiles = self._own_keys(), Tiles(connection)
        size, note = catch_up(connection, tiles)
        batch = Batch(keys, self._clock, size, self._previous(connection, keys))
        own = _ids(keys)
        if own != self._announced and own != _announced(connection):
            batch.add("", announcement(_public(keys), _retired(connection, keys)))
        return _Writing(keys, tiles, batch, size, note)

    def _end(self, connection: Connection, now: _Writing) -> None:
        """Write the records down, and sign the head."""
        records = now.batch.records
        connection.execute(_ADD, [_columns(record) for record in records])
        now.tiles.grow(now.size, [record.envelope for record in records])
        root = now.tiles.root(now.batch.size)
        self._sign(connection, now.keys, root, (now.batch.size, now.note))
        self._announced = _ids(now.keys)

    def _sign(
        self, connection: Connection, keys: Keys, root: bytes, now: tuple[int, str]
    ) -> None:
        """Sign a head; the log keeps the name that its last one has."""
        size, before = now
        origin = read_checkpoint(before)[0].origin if before else origin_of(
            keys[Role.LOG].public_key())
        text = str(Checkpoint(origin, size, root))
        note = Note(text, [signed(text, origin, keys[Role.LOG])])
        at = self._clock.now().isoformat(timespec="milliseconds")
        keep(connection, size, str(note), at, is_cosigned=False)

    def _previous(self, connection: Connection, keys: Keys) -> str:
        """Name the log's last record. EvidenceError if nothing of this runner's can follow it.

        A second key's records would look signed by somebody else.
        """
        row = connection.execute(_LAST).one_or_none()
        if row is None:
            return GENESIS
        number, envelope = row
        if not isinstance(envelope, bytes):
            raise EvidenceError("not an envelope: nothing can follow it", index=number)
        own = {key_id(keys[role].public_key()) for role in (Role.RUNNER, Role.APPROVER)}
        known = _signer(envelope)
        if known and known not in own:
            raise EvidenceError(
                f"the records in {self._books} are signed with key {known[:16]}, and "
                f"{self._keys.folder} holds others: put that key there (machines that share a "
                f"store share the keys), or move {self._books} away and begin a new log"
            )
        return digest(envelope)

    def _check_no_key_is_lost(self, role: Role, path: Path) -> None:
        """A new key beside old records would make them look signed by somebody else."""
        with reading(self._books, EvidenceError) as connection:
            there = connection.execute(select(RECORD.c.number).limit(1)).first()
            known = "" if there is None else _known_of(connection, role)
        if known:
            raise EvidenceError(
                f"the signing key {path} is missing, and records of key {known[:16]} exist in "
                f"{self._books}: put the key back, or move {self._books} away and begin a new "
                f"log; to check the records, give the public keys with --trust"
            )


def _ids(keys: Keys) -> frozenset[str]:
    return frozenset(key_id(key.public_key()) for key in keys.values())


def _public(keys: Keys) -> Mapping[Role, Ed25519PublicKey]:
    return {role: key.public_key() for role, key in keys.items()}


def _events(connection: Connection) -> list[bytes]:
    found: Sequence[object] = connection.execute(_EVENTS).scalars().all()
    return [envelope for envelope in found if isinstance(envelope, bytes)]


def _retired(connection: Connection, keys: Keys) -> Sequence[RoleKey]:
    return retired(_events(connection), keys[Role.RUNNER].public_key())


def _announced(connection: Connection) -> frozenset[str]:
    """The keys that the log's latest announcement names."""
    return frozenset(key for key in _latest_announcement(connection).values())


def _known_of(connection: Connection, role: Role) -> str:
    """The key that the log knows for a role; empty if none, a remark if the log is damaged."""
    known = _latest_announcement(connection).get(role, "")
    if known or role is not Role.RUNNER:
        return known
    query = select(ENVELOPE).order_by(RECORD.c.number.desc()).limit(1)
    return _signer(connection.execute(query).scalar()) or "unknown: the last record is damaged"


def _latest_announcement(connection: Connection) -> dict[Role, str]:
    query = select(ENVELOPE).where(RECORD.c.predicate_type == KEY_EVENT)
    envelope = connection.execute(query.order_by(RECORD.c.number.desc()).limit(1)).scalar()
    try:
        told = map(statement_of, [read(envelope)] if isinstance(envelope, bytes) else ())
        return {key.role: key.id for key in announced(told)}
    except EvidenceError:
        return {}  # damaged: verify tells


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
