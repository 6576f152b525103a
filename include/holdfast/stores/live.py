"""Leases in one small SQLite file on local disk."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.ports.leases import StoreDown
from holdfast.stores._lease_rows import SCHEMA, VERSION
from holdfast.stores._leases import Session, SqlLeases

_OF_PARENT: list[sqlite3.Connection] = []
"""Connections from before a fork: a child may neither use nor close them."""


class SqliteLeases(SqlLeases):
    """A LeaseStore for the processes of one host.

    WAL with synchronous NORMAL: a renewal lost with the machine's power is a renewal that did not
    happen. `busy_seconds` is the longest a call waits for another's write lock; keepers take 0.05.
    Each thread has a connection of its own. While `HOLD` lies beside the file, no fault begins.
    Without `create`, a file that is not there is a store that is down.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0, create: bool = True) -> None:
        super().__init__(path.with_name("HOLD"))
        self._path, self._busy, self._create = path, busy_seconds, create

    def close(self) -> None:
        """Let go of this thread's connection."""
        db = getattr(self._local, "db", None)
        self._local.db = None
        if db is not None:
            db.close()

    def _begin(self, db: Session) -> None:
        db.execute("BEGIN IMMEDIATE")

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
