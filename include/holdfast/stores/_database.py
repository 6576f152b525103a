"""Open books.db: one SQLite file, durable, brought up to date at first use."""

import fcntl
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event

HEAD = "0001"
"""The newest migration; a test keeps it equal to Alembic's own head."""


@cache
def engine(path: Path) -> Engine:
    """Give the database at `path`, made or upgraded if it must be.

    Connections are not pooled: tasks fork, and SQLite connections must not cross a fork.
    """
    _upgrade(path)
    made = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 30})
    event.listen(made, "connect", _configure)
    event.listen(made, "begin", _begin)
    return made


def writing(path: Path) -> Engine:
    """Give the same database for transactions that read and then write: BEGIN IMMEDIATE."""
    return engine(path).execution_options(immediate=True)


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _upgrade(path: Path) -> None:
    if _version(path) == HEAD:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _version(path) != HEAD:
            _migrate(path)


def _version(path: Path) -> str:
    if not path.exists():
        return ""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        table = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(table).fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _migrate(path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = f"sqlite:///{path}"
    command.upgrade(config, "head")
