"""Open the books: a SQLite file, or a PostgreSQL; brought up to date at first use."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from holdfast.errors import HoldfastError, SpecError
from holdfast.stores._server import SCHEMA, Server, answering

if TYPE_CHECKING:
    from holdfast.stores._server import Link

Database: TypeAlias = Path | Server
"""Where the books are: a file of this host, or a server that machines share."""
HEAD = "0005"
"""The newest migration; a test keeps it equal to Alembic's own head."""
_BUSY_SECONDS = 30.0
_WRITERS = 0x426F6F6B
"""The advisory lock of all who read the books and then write: one after the other."""


@cache
def engine(database: Database) -> Engine:
    """Give the database at `database`, made or upgraded if it must be.

    Connections are not pooled: tasks fork, and connections must not cross a fork.
    """
    made = _engine(database)
    if isinstance(database, Server):
        _upgrade_server(made)
    else:
        _upgrade_file(database, made)
    return made


@contextmanager
def reading(database: Database, error: type[HoldfastError]) -> Iterator[Connection]:
    """Give one transaction; a database that cannot be read becomes `error`, with a cure."""
    with _told(database, "read", error), engine(database).begin() as connection, \
            _bounded(connection):
        yield connection


@contextmanager
def writing(database: Database, error: type[HoldfastError]) -> Iterator[Connection]:
    """Give one that reads and then writes, and that no other writes beside."""
    with _told(database, "written", error), _alone(database) as connection:
        yield connection


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    with engine(database).execution_options(immediate=True).begin() as connection, \
            _bounded(connection):
        if isinstance(database, Server):
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS})"))
        yield connection


@contextmanager
def _bounded(connection: Connection) -> Iterator[None]:
    """A server that has stopped is hung up on; a file answers or is locked."""
    if connection.dialect.name == "sqlite":
        yield
        return
    with answering(cast("Link", connection.connection.driver_connection)):
        yield


@contextmanager
def _told(database: Database, what: str, error: type[HoldfastError]) -> Iterator[None]:
    try:
        yield
    except SpecError as cause:
        raise error(f"{database} cannot be {what}: {cause}") from cause
    except (SQLAlchemyError, sqlite3.Error, OSError) as cause:
        said = " ".join(str(getattr(cause, "orig", None) or cause).split())
        raise error(f"{database} cannot be {what} ({said}): {_cure(database)}") from cause


def _cure(database: Database) -> str:
    if isinstance(database, Server):
        return "look whether the server answers, and what `holdfast connect` says of its address"
    return ("if it is locked, try again; if it is damaged, put back a copy of it, or move it away "
            "to begin anew")


def _engine(database: Database) -> Engine:
    if isinstance(database, Server):
        return create_engine("postgresql+psycopg://", poolclass=NullPool,
                             creator=lambda: database.open(_BUSY_SECONDS))
    made = create_engine(
        f"sqlite:///{database}", poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(made, "connect", _configure)
    event.listen(made, "begin", _begin)
    return made


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _upgrade_file(path: Path, made: Engine) -> None:
    if _version(path) == HEAD:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _version(path) != HEAD:
            with made.connect() as connection:
                _migrate(connection)
                connection.commit()


def _upgrade_server(made: Engine) -> None:
    """In one transaction, which a PostgreSQL undoes whole; of many that begin at once, one does."""
    with made.begin() as connection, _bounded(connection):
        if _is_current(connection):
            return  # whoever only wants to know waits for no writer
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS})"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        if not _is_current(connection):
            _migrate(connection)


def _is_current(connection: Connection) -> bool:
    there = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
    return there is not None and HEAD in connection.execute(
        text("SELECT version_num FROM alembic_version")).scalars()


def _version(path: Path) -> str:
    if not path.exists():
        return ""
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
        table = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(table).fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise OSError(f"another version of Holdfast made it: {error}") from error
