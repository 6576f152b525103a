"""Open books.db: one SQLite file, durable, brought up to date at first use."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from holdfast.errors import HoldfastError

HEAD = "0002"
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


@contextmanager
def reading(path: Path, error: type[HoldfastError]) -> Iterator[Connection]:
    """Give one transaction; a database that cannot be read becomes `error`, with a cure."""
    with _told(path, "read", error), engine(path).begin() as connection:
        yield connection


@contextmanager
def writing(path: Path, error: type[HoldfastError]) -> Iterator[Connection]:
    """Give one that reads and then writes: BEGIN IMMEDIATE."""
    with _told(path, "written", error), _immediate(path) as connection:
        yield connection


@contextmanager
def _immediate(path: Path) -> Iterator[Connection]:
    with engine(path).execution_options(immediate=True).begin() as connection:
        yield connection


@contextmanager
def _told(path: Path, what: str, error: type[HoldfastError]) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as cause:
        raise error(
            f"{path} cannot be {what} ({getattr(cause, 'orig', None) or cause}): if it is locked, "
            f"try again; if it is damaged, put back a copy of it, or move it away to begin anew"
        ) from cause


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
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = f"sqlite:///{path}"
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise sqlite3.DatabaseError(f"another version of Holdfast made it: {error}") from error
