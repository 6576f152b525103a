"""Leases, epochs, holds and locks in one small SQLite file on local disk."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from holdfast.errors import Postponed
from holdfast.model.lease import MOVES, Environment, Lease, LeaseState, Reason, Renewal, Revocation
from holdfast.ports.leases import StoreDown
from holdfast.stores._lease_rows import (
    FACTS,
    INSERT,
    SCHEMA,
    VERSION,
    as_environment,
    as_lease,
    as_row,
    as_text,
)

_HELD_BY_GUARD = "state IN ('opened', 'armed', 'injecting', 'active') AND revoked IS NULL"
_ABORTS = (
    Reason.BREACH, Reason.NO_DATA, Reason.NOT_STEADY, Reason.STOPPED, Reason.BUDGET,
    Reason.KEEPER_SILENT, Reason.WITHDRAWN,
)
_OF_PARENT: list[sqlite3.Connection] = []
"""Connections from before a fork: a child may neither use nor close them."""


class SqliteLeases:
    """A LeaseStore for the processes of one host.

    WAL with synchronous NORMAL: a renewal lost with the machine's power is a renewal that did not
    happen. `busy_seconds` is the longest a call waits for another's write lock; keepers take 0.05.
    Each thread has a connection of its own. While `HOLD` lies beside the file, no fault begins.
    Without `create`, a file that is not there is a store that is down.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0, create: bool = True) -> None:
        self._path, self._busy, self._create = path, busy_seconds, create
        self._hold = path.with_name("HOLD")
        self._local = threading.local()

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
            row = db.execute("SELECT * FROM environments WHERE name = ?", (name,)).fetchone()
            return self._held(Environment(name) if row is None else as_environment(row))

    def environments(self) -> Sequence[Environment]:
        """Every environment that was ever used, by name."""
        with self._connected() as db:
            rows = db.execute("SELECT * FROM environments ORDER BY name")
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
            row = db.execute("SELECT * FROM leases WHERE id = ?", (lease_id,)).fetchone()
        if row is None:
            raise KeyError(lease_id)
        return as_lease(row)

    def leases(
        self, *, run_id: str | None = None, environment: str | None = None, open_only: bool = False
    ) -> Sequence[Lease]:
        """Leases, oldest first; `open_only` leaves the clean ones out."""
        where, values = ["1"], []
        for column, value in (("run_id", run_id), ("environment", environment)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if open_only:
            where.append("state <> 'clean'")
        query = f"SELECT * FROM leases WHERE {' AND '.join(where)} ORDER BY rowid"  # noqa: S608
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
                    f"WHERE id = ? AND {_HELD_BY_GUARD}",
                    (memory, renewal.lease_id),
                )
                row = db.execute(
                    "SELECT * FROM leases WHERE id = ?", (renewal.lease_id,)
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
        query = f"UPDATE leases SET {sets} WHERE id = ? AND state IN ({_marks(before)})"  # noqa: S608
        with self._write() as db:
            return db.execute(query, (state, *facts.values(), lease_id, *before)).rowcount > 0

    def begin_injection(self, lease_id: str) -> str:
        """Armed to injecting in one transaction, unless something speaks against it; say what."""
        with self._write() as db:
            row = db.execute("SELECT * FROM leases WHERE id = ?", (lease_id,)).fetchone()
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
        """Raise the epoch of every environment concerned, revoke every open lease there."""
        concerned = (
            "SELECT name FROM environments WHERE :run IS NULL OR locked_by = :run OR name IN "
            "(SELECT environment FROM leases WHERE run_id = :run AND state <> 'clean')"
        )
        names = {"run": run_id}
        with self._write() as db:
            found = [row["name"] for row in db.execute(concerned, names)]
            marks = _marks(found)
            db.execute(
                "UPDATE environments SET epoch = epoch + 1, "  # noqa: S608
                f"hold = CASE WHEN ? = '' THEN hold ELSE ? END WHERE name IN ({marks})",
                (hold, hold, *found),
            )
            dirty = f"state <> 'clean' AND environment IN ({marks})"
            db.execute(
                f"UPDATE leases SET revoked = ? WHERE revoked IS NULL AND {dirty}",  # noqa: S608
                (as_text(revocation), *found),
            )
            rows = db.execute(f"SELECT id FROM leases WHERE {dirty} ORDER BY rowid", found)  # noqa: S608
            return [row["id"] for row in rows]

    def release(self, environment: str) -> None:
        """End the hold of one environment; `HOLD` holds them all and stays."""
        with self._write() as db:
            db.execute("UPDATE environments SET hold = '' WHERE name = ?", (environment,))

    def close(self) -> None:
        """Let go of this thread's connection."""
        db = getattr(self._local, "db", None)
        self._local.db = None
        if db is not None:
            db.close()

    def _environment(self, db: sqlite3.Connection, name: str) -> Environment:
        db.execute("INSERT OR IGNORE INTO environments (name) VALUES (?)", (name,))
        row = db.execute("SELECT * FROM environments WHERE name = ?", (name,)).fetchone()
        return self._held(as_environment(row))

    def _held(self, there: Environment) -> Environment:
        if there.hold or not self._hold.exists():
            return there
        why = self._hold.read_text(errors="replace").strip() or "the HOLD file is there"
        return replace(there, hold=why)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreDown(f"{self._path}: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        """The thread's connection; a new one after a fork, or when the file was replaced."""
        local = self._local
        if getattr(local, "db", None) is not None:
            if local.place == _place(self._path):
                return local.db  # type: ignore[no-any-return]
            if local.place[0] == os.getpid():
                self.close()
            else:
                _OF_PARENT.append(local.db)
                local.db = None
        if self._create and not self._path.exists():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        self._path.stat()
        db = sqlite3.connect(self._path, timeout=self._busy, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            _prepare(db)
        except BaseException:
            db.close()
            raise
        local.db, local.place = db, _place(self._path)
        return db


def _place(path: Path) -> tuple[int, int, int]:
    """Process, device and inode: a connection is good for this file in this process only."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return os.getpid(), 0, 0
    return os.getpid(), there.st_dev, there.st_ino


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA synchronous = NORMAL")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version > VERSION:
        raise sqlite3.DatabaseError(f"schema {version} is newer than this program's {VERSION}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in SCHEMA:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


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


def _aborted(db: sqlite3.Connection, lease: Lease) -> str:
    """Whether the latest try of another experiment of the round was aborted before this began."""
    rows = db.execute(
        "SELECT experiment, json_extract(revoked, '$.reason') AS reason, max(rowid) FROM leases "
        "WHERE run_id = ? AND round = ? AND experiment <> ? GROUP BY experiment",
        (lease.run_id, lease.round, lease.experiment),
    )
    for row in rows:
        if row["reason"] in _ABORTS:
            return f"the round was aborted: {row['experiment']} was revoked ({row['reason']})"
    return ""


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
