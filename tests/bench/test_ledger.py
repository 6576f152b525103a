"""Reservations of many processes against one day's limit, beside a bare row lock. `make bench`.

A row lock is what the database itself does for one counter that all want: lock, add one, commit.
"""

import multiprocessing
import os
import sqlite3
import time
from contextlib import closing
from decimal import Decimal

import pytest

from holdfast.errors import Postponed
from holdfast.model.ledger import Claim
from holdfast.safety.ledger import taken
from holdfast.settings import Settings
from holdfast.stores import _database
from holdfast.stores._server import Server
from holdfast.stores.ledger import SqlLedger
from holdfast.stores.places import books_of
from support.server import StoreServer

PROCESSES = int(os.environ.get("HOLDFAST_BENCH_PROCESSES", "64"))
EACH = 157
LIMIT = 9_000
DAY = "2026-01-01"


@pytest.fixture(params=["files", "server"])
def settings(request, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    if request.param == "files":
        yield Settings(home, home / "experiments")
        return
    server = StoreServer(tmp_path / "data")
    server.build()
    yield server.settings(home)
    server.stop()


def side_by_side(work):
    """Run it in every process, all begun at once; what each gives back, and the seconds."""
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(PROCESSES + 1), context.Queue()

    def one(number):
        start.wait()
        answers.put(work(number))

    crowd = [context.Process(target=one, args=(number,)) for number in range(PROCESSES)]
    for process in crowd:
        process.start()
    start.wait()
    began = time.monotonic()
    found = [answers.get() for _ in crowd]
    spent = time.monotonic() - began
    for process in crowd:
        process.join()
    return found, spent


def reserve(settings):
    def work(number):
        ledger, got = SqlLedger(books_of(settings)), 0
        for turn in range(EACH):
            asked = Claim(f"s--{number}-{turn}", DAY, "EUR", Decimal(LIMIT), {"x": Decimal(1)})
            try:
                ledger.reserve(asked)
            except Postponed:
                continue
            got += 1
        return got
    return work


def lock_a_row(settings):
    """The same number of transactions, each on a connection of its own, as the ledger's are."""
    if settings.store:
        where = Server(settings.connections, settings.store)
        with where.open(30) as link:
            link.execute("CREATE TABLE counter AS SELECT 0 AS n")

        def once():
            with closing(where.open(30)) as link, link.transaction():
                link.execute("SELECT n FROM counter FOR UPDATE")
                link.execute("UPDATE counter SET n = n + 1")
    else:
        file = settings.home / "counter.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as link:
            link.execute("PRAGMA journal_mode = WAL")
            link.execute("CREATE TABLE counter AS SELECT 0 AS n")

        def once():
            with closing(sqlite3.connect(file, timeout=120, isolation_level=None)) as link:
                link.execute("PRAGMA synchronous = FULL")
                link.execute("BEGIN IMMEDIATE")
                link.execute("UPDATE counter SET n = n + 1")
                link.execute("COMMIT")

    def work(_number):
        for _ in range(EACH):
            once()
        return EACH
    return work


@pytest.mark.timeout(1800)
def test_no_limit_is_overrun(settings, capsys):
    _database.engine.cache_clear()
    ledger = SqlLedger(books_of(settings))
    ledger.unsettled()  # made before they race
    got, seconds = side_by_side(reserve(settings))
    counted, bare = side_by_side(lock_a_row(settings))
    there, so_far, high = ledger.postings(day=DAY), 0, 0
    for posting in there:
        so_far += taken([posting], DAY, "EUR")
        high = max(high, so_far)
    asked = PROCESSES * EACH
    with capsys.disabled():
        print(f"\n{'PostgreSQL' if settings.store else 'SQLite'}: {PROCESSES} processes asked "
              f"{asked} times, {sum(got)} got it, {max(0, sum(got) - LIMIT)} overruns; "
              f"{asked / seconds:.0f} a second, a bare row {sum(counted) / bare:.0f} a second "
              f"(ratio {bare / seconds:.2f}), load {os.getloadavg()[0]:.0f}")
    assert min(asked, LIMIT) == sum(got) == len(there)
    assert high == min(asked, LIMIT) * 1_000_000
