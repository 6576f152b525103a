"""Statements that wait to be written, and the records that a batch of them becomes."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.clock import Clock
from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import seal
from holdfast.evidence.log import Place, digest, placed
from holdfast.evidence.roles import role_of
from holdfast.model.record import Record, Role, Statement

Keys: TypeAlias = Mapping[Role, Ed25519PrivateKey]
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Claim:
    """A statement that somebody waits for: it becomes a record, or fails.

    Without one, it is what waits in the spool that is to be written.
    """

    def __init__(self, run_id: str = "", statement: Statement | None = None) -> None:
        self.run_id, self.statement = run_id, statement
        self.record: Record | None = None
        self._error: EvidenceError | None = None
        self._called = threading.Event()

    def fail(self, error: EvidenceError) -> None:
        """Remember why there is no record; the first reason stays."""
        self._error = self._error or error

    def call(self) -> None:
        """Wake who waits: it has come to its end, or is to write what waits."""
        self._called.set()

    def wait(self) -> bool:
        """Wait to be called; say whether it has come to its end."""
        self._called.wait()
        return self.record is not None or self._error is not None

    def result(self) -> Record:
        """Give the record, or raise what went wrong."""
        if self.record is None or self._error is not None:
            raise self._error or EvidenceError("nobody has written it")
        return self.record


class Queue:
    """Claims of several threads: one of the threads writes for all that wait meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Claim] = []
        self._is_led = False

    def join(self, claim: Claim) -> bool:
        """Queue up; say whether this thread is the one to write, now or after it was called."""
        with self._lock:
            self._waiting.append(claim)
            leads, self._is_led = not self._is_led, True
        return leads or not claim.wait()

    def taken(self) -> list[Claim]:
        """All that wait now."""
        with self._lock:
            claims, self._waiting = self._waiting, []
        return claims

    def leave(self) -> None:
        """End writing: the first that has come meanwhile goes on."""
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].call()


class Batch:
    """Records that follow one another, from a place in the log on."""

    def __init__(self, keys: Keys, clock: Clock, index: int, previous: str) -> None:
        self._keys, self._clock, self._previous = keys, clock, previous
        self._next = index
        self._boot_id = _BOOT_ID.read_text().strip()
        self.records: list[Record] = []

    @property
    def size(self) -> int:
        """How many records the log has with these."""
        return self._next

    def sign_with(self, keys: Keys) -> None:
        """Sign what is added from now on with these."""
        self._keys = keys

    def add(self, run_id: str, statement: Statement) -> Record:
        """Sign a statement as the next record; EvidenceError if it cannot be signed."""
        place = Place(
            index=self._next, previous=self._previous, run_id=run_id,
            recorded_at=self._clock.now().isoformat(timespec="milliseconds"),
            boottime_ms=round(self._clock.boottime() * 1000), boot_id=self._boot_id,
        )
        kind = statement.predicate_type
        record = Record(
            index=place.index, run_id=run_id, predicate_type=kind,
            recorded_at=place.recorded_at, previous=place.previous,
            envelope=seal(placed(statement, place), self._keys[role_of(kind)]),
        )
        self.records.append(record)
        self._next, self._previous = place.index + 1, digest(record.envelope)
        return record
