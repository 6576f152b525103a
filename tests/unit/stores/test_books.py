"""What is special to books that are a file."""

from pathlib import Path
from time import perf_counter

import pytest

from holdfast.errors import HoldfastError
from holdfast.model.run import Run
from holdfast.stores import _database
from holdfast.stores.books import SqlBooks

RUN = Run("s--1", "s", "env", "ana", "sha256:ab", "2026-01-01T00:00:00+00:00", 12.5)


@pytest.fixture
def books(tmp_path):
    return SqlBooks(tmp_path / "deep" / "books.db")


def test_the_file_is_durable_and_never_blocks_readers(books, tmp_path):
    books.open_run(RUN)
    with _database.engine(tmp_path / "deep" / "books.db").connect() as connection:
        names = ("journal_mode", "synchronous")
        modes = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert ["wal", 2] == modes


def test_a_second_look_is_quick(books, tmp_path):
    books.open_run(RUN)
    _database.engine.cache_clear()
    began = perf_counter()
    _database.engine(tmp_path / "deep" / "books.db")
    assert perf_counter() - began < 0.05


def test_the_newest_migration_is_the_one_the_code_expects():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(_database.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert _database.HEAD == ScriptDirectory.from_config(config).get_current_head()


def test_books_that_are_no_database_are_told_with_place_and_cure(tmp_path):
    path = tmp_path / "books.db"
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(HoldfastError, match=rf"{path} cannot be written .*put back a copy"):
        SqlBooks(path).open_run(RUN)
