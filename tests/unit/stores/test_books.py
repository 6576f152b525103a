"""The books in SQL."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest

from holdfast.errors import HoldfastError
from holdfast.model.run import Entry, EntryKind, Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.stores import _database
from holdfast.stores.books import SqlBooks

RUN = Run("s--1", "s", "env", "ana", "sha256:ab", "2026-01-01T00:00:00+00:00", 12.5)


@pytest.fixture
def books(tmp_path):
    return SqlBooks(tmp_path / "deep" / "books.db")


def _entry(name, value, kind=EntryKind.BASELINE, experiment=""):
    return Entry("s--1", kind, name, {"value": value}, experiment, "2026")


def test_a_run_is_read_back_as_it_was(books):
    books.open_run(RUN)
    assert RUN == books.run("s--1")


def test_an_unknown_run_is_none(books):
    assert books.run("s--1") is None


def test_opening_twice_changes_nothing(books):
    books.open_run(RUN)
    books.open_run(replace(RUN, triggered_by="bob"))
    assert [RUN] == books.runs()


def test_closing_writes_the_end_only(books):
    books.open_run(RUN)
    ended = replace(RUN, state=RunState.ENDED, verdict=Verdict.BROKEN, reason="r", ended_at="later")
    books.close_run(replace(ended, triggered_by="bob"))
    assert ended == books.run("s--1")


def test_the_latest_runs_come_first(books):
    for number in range(3):
        books.open_run(replace(RUN, id=f"s--{number}"))
    assert ["s--2", "s--1"] == [run.id for run in books.runs(2)]


def test_of_the_same_entry_the_latest_counts(books):
    """A task that runs again writes again."""
    first, other, again = _entry("a", 1), _entry("b", 2), _entry("a", 3)
    for entry in (first, other, again):
        books.write(entry)
    assert [other, again] == books.read("s--1")


def test_kind_and_experiment_tell_entries_apart(books):
    kept = [_entry("a", 1), _entry("a", 2, EntryKind.FINDING), _entry("a", 3, experiment="x")]
    for entry in kept:
        books.write(entry)
    assert (kept, kept[1:2]) == (books.read("s--1"), books.read("s--1", EntryKind.FINDING))


def test_an_entry_without_a_date_gets_one(books):
    books.write(Entry("s--1", EntryKind.NOTICE, "n", {}))
    assert books.read("s--1")[0].at.endswith("+00:00")


@pytest.mark.parametrize("deed", ["UPDATE entry SET name = 'x'", "DELETE FROM entry"])
def test_entries_can_only_be_added(books, tmp_path, deed):
    books.write(_entry("a", 1))
    connection = sqlite3.connect(tmp_path / "deep" / "books.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(deed)
    connection.close()


def test_the_file_is_durable_and_never_blocks_readers(books, tmp_path):
    books.open_run(RUN)
    with _database.engine(tmp_path / "deep" / "books.db").connect() as connection:
        names = ("journal_mode", "synchronous")
        modes = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert ["wal", 2] == modes


def test_threads_write_side_by_side(books):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: books.write(_entry(f"n{n}", n)), range(20)))
    assert 20 == len(books.read("s--1"))


def test_processes_may_make_it_at_once(tmp_path):
    code = (
        "from pathlib import Path; from holdfast.stores.books import SqlBooks; import sys;"
        "SqlBooks(Path(sys.argv[1])).runs()"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "books.db")]
    made = [subprocess.Popen(argv) for _ in range(3)]
    assert [0, 0, 0] == [process.wait(60) for process in made]


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


def test_the_tables_are_what_the_migrations_made(books, tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from holdfast.stores._tables import METADATA

    books.runs()
    with _database.engine(tmp_path / "deep" / "books.db").connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), METADATA)


def test_books_that_are_no_database_are_told_with_place_and_cure(tmp_path):
    path = tmp_path / "books.db"
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(HoldfastError, match=rf"{path} cannot be written .*put back a copy"):
        SqlBooks(path).open_run(RUN)


def test_books_of_another_version_are_told(tmp_path, books):
    books.open_run(RUN)
    with sqlite3.connect(tmp_path / "deep" / "books.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    _database.engine.cache_clear()
    with pytest.raises(HoldfastError, match="another version of Holdfast made it"):
        books.runs()


def test_a_damaged_entry_is_told_with_its_place(tmp_path, books):
    books.write(_entry("a", 1))
    with sqlite3.connect(tmp_path / "deep" / "books.db") as connection:
        connection.execute("DROP TRIGGER IF EXISTS entry_no_update")
        connection.execute("UPDATE entry SET data = 'no json'")
    connection.close()
    with pytest.raises(HoldfastError, match="entry 1 of run s--1 in the books is damaged"):
        books.read("s--1")
