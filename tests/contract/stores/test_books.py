"""The books, on files and on a server."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from holdfast.errors import HoldfastError
from holdfast.model.run import Entry, EntryKind, Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.stores import _database
from holdfast.stores.books import SqlBooks
from holdfast.stores.places import books_of

RUN = Run("s--1", "s", "env", "ana", "sha256:ab", "2026-01-01T00:00:00+00:00", 12.5)


@pytest.fixture
def books(settings):
    return SqlBooks(books_of(settings))


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


def test_every_run_that_has_not_ended_is_found_however_many_came_after(books):
    """S5: a stop of all tells each of them."""
    for number in range(120):
        books.open_run(replace(RUN, id=f"s--{number}"))
    for number in range(2, 120):
        books.close_run(replace(RUN, id=f"s--{number}", state=RunState.ENDED))
    assert ["s--1", "s--0"] == [run.id for run in books.going()]


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
def test_entries_can_only_be_added(books, tamper, deed):
    books.write(_entry("a", 1))
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        tamper(deed)


def test_threads_write_side_by_side(books):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: books.write(_entry(f"n{n}", n)), range(20)))
    assert 20 == len(books.read("s--1"))


def test_processes_may_make_it_at_once(settings):
    code = (
        "from pathlib import Path; from holdfast.stores.books import SqlBooks; import sys;"
        "from holdfast.settings import Settings; from holdfast.stores.places import books_of;"
        "home = Path(sys.argv[1]);"
        "SqlBooks(books_of(Settings(home, home, store=sys.argv[2]))).runs()"
    )
    argv = [sys.executable, "-c", code, str(settings.home), settings.store]
    made = [subprocess.Popen(argv) for _ in range(3)]
    assert [0, 0, 0] == [process.wait(60) for process in made]


def test_the_tables_are_what_the_migrations_made(books, settings):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from holdfast.stores._tables import METADATA

    books.runs()
    tables = {*METADATA.tables}
    with _database.engine(books_of(settings)).connect() as connection:
        own = {"include_object": lambda _object, name, kind, *_: kind != "table" or name in tables}
        there = MigrationContext.configure(connection, opts=own)
        assert [] == compare_metadata(there, METADATA)


def test_books_of_another_version_are_told(tamper, books):
    books.open_run(RUN)
    tamper("UPDATE alembic_version SET version_num = '9999'")
    _database.engine.cache_clear()
    with pytest.raises(HoldfastError, match="another version of Holdfast made it"):
        books.runs()


def test_a_damaged_entry_is_told_with_its_place(tamper, books, settings):
    books.write(_entry("a", 1))
    trigger = "entry_append_only ON entry" if settings.store else "entry_no_update"
    tamper(f"DROP TRIGGER {trigger}")
    tamper("UPDATE entry SET data = 'no json'")
    with pytest.raises(HoldfastError, match="entry 1 of run s--1 in the books is damaged"):
        books.read("s--1")
