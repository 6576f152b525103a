"""Leases, epochs, holds and locks in SQL, whatever database it is."""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from holdfast.errors import Postponed
from holdfast.model.lease import MOVES, Environment, Lease, LeaseState, Reason, Renewal, Revocation
from holdfast.stores._lease_rows import (
    FACTS,
    INSERT,
    SELECT,
    as_environment,
    as_lease,
    as_row,
    as_text,
)

HELD_BY_GUARD = "state IN ('opened', 'armed', 'injecting', 'active') AND revoked IS NULL"
_PLACE = (
    "SELECT name, epoch, locked_by, COALESCE(NULLIF(hold, ''), "
    "(SELECT hold FROM environments WHERE name = ''), '') AS hold FROM environments"
)
"""An environment as it is held: alone, or with all others by the row without a name."""
_ABORTS = (
    Reason.BREACH, Reason.NO_DATA, Reason.NOT_STEADY, Reason.STOPPED, Reason.BUDGET,
    Reason.KEEPER_SILENT, Reason.WITHDRAWN,
)


class Rows(Protocol):
    """What a statement gives; a row is read by the names of its columns."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """The first row; None without one."""

    def __iter__(self) -> Iterator[Any]:
        """Every row."""


class Session(Protocol):
    """A connection that begins and ends transactions only when it is told to."""

    def execute(self, statement: str, values: Any = (), /) -> Rows:
        """Run one statement with `?` or `:name` for values."""

    def rollback(self) -> None:
        """Give up what was begun."""


class SqlLeases(ABC):
    """A LeaseStore in SQL; what begins a transaction that writes makes it the only one.

    While the file `hold` is there, no fault begins here.
    """

    def __init__(self, hold: Path) -> None:
        self._hold = hold
        self._local = threading.local()

    @abstractmethod
    def _connected(self) -> AbstractContextManager[Session]:
        """The session of this thread; StoreDown instead of what the database raises."""

    @abstractmethod
    def _begin(self, db: Session) -> None:
        """Begin a transaction that no other that writes runs beside."""

    def lock(self, environment: str, run_id: str) -> None:
        """Take the environment for a run; Postponed if another has it or it is held."""
        with self._write() as db:
            _refuse(self._environment(db, environment), run_id)
            db.execute(
                "UPDATE environments SET locked_by = ? WHERE name = ?", (run_id, environment)
            )

    def unlock(self, environment: str, run_id: str) -> bool:
        """Give it back; refused while a lease of the environment is not clean."""
        with self._write() as db:
            dirty = db.execute(
                "SELECT 1 FROM leases WHERE environment = ? AND state <> 'clean'", (environment,)
            ).fetchone()
            if dirty is None:
                db.execute(
                    "UPDATE environments SET locked_by = '' WHERE name = ? AND locked_by = ?",
                    (environment, run_id),
                )
            return dirty is None

    def environment(self, name: str) -> Environment:
        """Its epoch, hold and lock."""
        with self._connected() as db:
            query = f"{_PLACE} WHERE name IN (?, '') ORDER BY name DESC"
            row = db.execute(query, (name,)).fetchone()
        found = Environment(name) if row is None else as_environment(row)
        return self._held(found if found.name == name else Environment(name, hold=found.hold))

    def environments(self) -> Sequence[Environment]:
        """Every environment that was ever used, by name."""
        with self._connected() as db:
            rows = db.execute(f"{_PLACE} WHERE name <> '' ORDER BY name")
            return [self._held(as_environment(row)) for row in rows]

    def open(self, lease: Lease) -> Lease:
        """Make the row with the environment's epoch of now; Postponed if held or locked."""
        with self._write() as db:
            there = self._environment(db, lease.environment)
            _refuse(there, lease.run_id)
            opened = replace(lease, epoch=there.epoch, state=LeaseState.OPENED)
            db.execute(INSERT, as_row(opened))
            return opened

    def read(self, lease_id: str) -> Lease:
        """One lease; KeyError if there is none."""
        with self._connected() as db:
            row = db.execute(f"{SELECT} WHERE id = ?", (lease_id,)).fetchone()
        if row is None:
            raise KeyError(lease_id)
        return as_lease(row)

    def leases(
        self, *, run_id: str | None = None, environment: str | None = None, open_only: bool = False
    ) -> Sequence[Lease]:
        """Leases, oldest first; `open_only` leaves the clean ones out."""
        where, values = ["1 = 1"], list[object]()
        for column, value in (("run_id", run_id), ("environment", environment)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if open_only:
            where.append("state <> 'clean'")
        query = f"{SELECT} WHERE {' AND '.join(where)} ORDER BY rowid"
        with self._connected() as db:
            return [as_lease(row) for row in db.execute(query, values)]

    def renew(self, renewals: Sequence[Renewal]) -> Mapping[str, Lease]:
        """Raise the counters of leases that are on and not revoked; give back all rows."""
        with self._write() as db:
            found = {}
            for renewal in renewals:
                memory = json.dumps(dict(renewal.breach_since))
                db.execute(
                    "UPDATE leases SET counter = counter + 1, breach_since = ? "  # noqa: S608
                    f"WHERE id = ? AND {HELD_BY_GUARD}",
                    (memory, renewal.lease_id),
                )
                row = db.execute(
                    f"{SELECT} WHERE id = ?", (renewal.lease_id,)
                ).fetchone()
                if row is not None:
                    found[renewal.lease_id] = as_lease(row)
            return found

    def revoke(self, lease_id: str, revocation: Revocation) -> bool:
        """Revoke the lease, and with reason ROUND the others of its round. Not a clean lease."""
        with self._write() as db:
            changed = db.execute(
                "UPDATE leases SET revoked = ? WHERE id = ? AND revoked IS NULL "
                "AND state <> 'clean'",
                (as_text(revocation), lease_id),
            ).rowcount
            if changed:
                db.execute(
                    "UPDATE leases SET revoked = ? WHERE revoked IS NULL AND state <> 'clean' AND "
                    "(run_id, round) = (SELECT run_id, round FROM leases WHERE id = ?)",
                    (as_text(replace(revocation, reason=Reason.ROUND)), lease_id),
                )
            return changed > 0

    def move(self, lease_id: str, state: LeaseState, **facts: object) -> bool:
        """Move along MOVES and set facts, in one compare-and-set."""
        if unknown := facts.keys() - FACTS:
            raise TypeError(f"a lease has no facts {sorted(unknown)}")
        sets = ", ".join(["state = ?", *(f"{name} = ?" for name in facts)])
        before = [a for a, after in MOVES.items() if state in after]
        if not before:
            return False
        query = f"UPDATE leases SET {sets} WHERE id = ? AND state IN ({_marks(before)})"  # noqa: S608
        with self._write() as db:
            return db.execute(query, (state, *facts.values(), lease_id, *before)).rowcount > 0

    def begin_injection(self, lease_id: str) -> str:
        """Armed to injecting in one transaction, unless something speaks against it; say what."""
        with self._write() as db:
            row = db.execute(f"{SELECT} WHERE id = ?", (lease_id,)).fetchone()
            if row is None:
                return "the lease is not in the store"
            lease = as_lease(row)
            why = _against(lease, self._environment(db, lease.environment)) or _aborted(db, lease)
            if not why:
                db.execute("UPDATE leases SET state = 'injecting' WHERE id = ?", (lease_id,))
            return why

    def beat(self, lease_id: str) -> None:
        """A sign of life of the keeper."""
        with self._write() as db:
            db.execute("UPDATE leases SET beat = beat + 1 WHERE id = ?", (lease_id,))

    def stop(
        self, revocation: Revocation, *, run_id: str | None = None, hold: str = ""
    ) -> Sequence[str]:
        """Raise the epoch of every environment concerned, revoke every open lease there.

        A hold without a run is one of every environment, of those that nobody has used yet too.
        """
        concerned = (
            "SELECT name FROM environments WHERE :every OR locked_by = :run OR name IN "
            "(SELECT environment FROM leases WHERE run_id = :run AND state <> 'clean')"
        )
        names = {"every": run_id is None, "run": run_id or ""}
        with self._write() as db:
            if hold and run_id is None:
                _make(db, "")
            found = [row["name"] for row in db.execute(concerned, names)]
            if not found:
                return []
            marks = _marks(found)
            db.execute(
                "UPDATE environments SET epoch = epoch + 1, "  # noqa: S608
                f"hold = COALESCE(NULLIF(CAST(? AS TEXT), ''), hold) WHERE name IN ({marks})",
                (hold, *found),
            )
            dirty = f"state <> 'clean' AND environment IN ({marks})"
            db.execute(
                f"UPDATE leases SET revoked = ? WHERE revoked IS NULL AND {dirty}",  # noqa: S608
                (as_text(revocation), *found),
            )
            rows = db.execute(f"SELECT id FROM leases WHERE {dirty} ORDER BY rowid", found)  # noqa: S608
            return [row["id"] for row in rows]

    def release(self, environment: str) -> None:
        """End the hold of one environment, or without a name that of all; `HOLD` stays."""
        with self._write() as db:
            db.execute("UPDATE environments SET hold = '' WHERE name = ?", (environment,))

    def _environment(self, db: Session, name: str) -> Environment:
        _make(db, name)
        row = db.execute(f"{_PLACE} WHERE name = ?", (name,)).fetchone()
        return self._held(as_environment(row))

    def _held(self, there: Environment) -> Environment:
        if there.hold or not self._hold.exists():
            return there
        why = self._hold.read_text(errors="replace").strip() or "the HOLD file is there"
        return replace(there, hold=why)

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._connected() as db:
            self._begin(db)
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.execute("COMMIT")


def _make(db: Session, name: str) -> None:
    db.execute("INSERT INTO environments (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))


def _refuse(there: Environment, run_id: str) -> None:
    if there.hold:
        raise Postponed(f"environment {there.name} is held: {there.hold}")
    if there.locked_by not in ("", run_id):
        raise Postponed(f"environment {there.name} is busy: run {there.locked_by} has it")


def _against(lease: Lease, there: Environment) -> str:
    if lease.revoked is not None:
        return f"revoked ({lease.revoked.reason}): {lease.revoked.text}"
    if lease.state is not LeaseState.ARMED:
        return f"the lease is {lease.state}, not armed"
    if lease.epoch != there.epoch:
        return f"environment {there.name} was stopped since the lease was opened"
    return f"environment {there.name} is held: {there.hold}" if there.hold else ""


def _aborted(db: Session, lease: Lease) -> str:
    """Whether the latest try of another experiment of the round was aborted before this began."""
    rows = db.execute(
        "SELECT experiment, revoked FROM leases "
        "WHERE run_id = ? AND round = ? AND experiment <> ? ORDER BY rowid",
        (lease.run_id, lease.round, lease.experiment),
    )
    latest = {row["experiment"]: row["revoked"] for row in rows}
    for experiment, revoked in latest.items():
        reason = json.loads(revoked)["reason"] if revoked else ""
        if reason in _ABORTS:
            return f"the round was aborted: {experiment} was revoked ({reason})"
    return ""


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
