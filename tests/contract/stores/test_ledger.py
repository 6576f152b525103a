"""The ledger, on files and on a server (B2)."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import partial

import psycopg
import pytest
from sqlalchemy import event

from holdfast.errors import Postponed
from holdfast.model.ledger import Account, Claim, as_amount
from holdfast.safety.ledger import balance, taken
from holdfast.stores import _database
from holdfast.stores.books import SqlBooks
from holdfast.stores.ledger import SqlLedger
from holdfast.stores.places import books_of

DAY = "2026-01-01"
CLAIM = Claim("s--1", DAY, "EUR", Decimal(500), {"x": Decimal("12.5"), "y": Decimal(3)})


@pytest.fixture
def ledger(settings):
    return SqlLedger(books_of(settings))


def test_what_is_reserved_is_read_back(ledger):
    ledger.reserve(CLAIM)
    assert [("x", 12_500_000), ("y", 3_000_000)] == [
        (p.experiment, p.amount) for p in ledger.postings(run_id="s--1", day=DAY)]
    assert ["s--1"] == ledger.unsettled()


def test_what_is_settled_is_no_longer_set_aside(ledger):
    ledger.reserve(CLAIM)
    ledger.settle("s--1", {"x": Decimal(2), "y": Decimal(0)})
    told = balance(ledger.postings())
    assert (Decimal(2), Decimal("13.5"), Decimal(0)) == (told.spent, told.released, told.open)
    assert [] == ledger.unsettled()


def test_a_cost_beyond_all_books_is_booked_as_the_most(ledger):
    """A counter that went mad must not keep a run's money set aside for ever."""
    ledger.reserve(CLAIM)
    ledger.settle("s--1", {"x": Decimal("1e30")})
    told = balance(ledger.postings())
    assert (10**12 + 3, 0) == (told.spent, told.open)
    assert [] == ledger.unsettled()


def test_a_refused_claim_leaves_nothing(ledger):
    with pytest.raises(Postponed):
        ledger.reserve(replace(CLAIM, limit=Decimal(15)))
    assert [] == ledger.postings()


def test_other_runs_and_days_are_left_alone(ledger):
    ledger.reserve(CLAIM)
    ledger.reserve(replace(CLAIM, run_id="s--2", day="2026-01-02"))
    ledger.settle("s--2", {})
    assert {Account.SPENT} == {p.target for p in ledger.postings(run_id="s--2")[2:]}
    assert 2 == len(ledger.postings(day=DAY))


def test_it_lies_beside_the_books(settings, ledger):
    ledger.reserve(CLAIM)
    assert [] == SqlBooks(books_of(settings)).runs()


@pytest.mark.parametrize("deed", ["UPDATE posting SET amount = 1", "DELETE FROM posting"])
def test_postings_can_only_be_added(ledger, tamper, deed):
    ledger.reserve(CLAIM)
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        tamper(deed)


_WORKER = """
import sys
from decimal import Decimal
from pathlib import Path
from holdfast.errors import Postponed
from holdfast.model.ledger import Claim
from holdfast.settings import Settings
from holdfast.stores.ledger import SqlLedger
from holdfast.stores.places import books_of
home, name, got = Path(sys.argv[1]), sys.argv[3], 0
ledger = SqlLedger(books_of(Settings(home, home, store=sys.argv[2])))
for number in range(12):
    run = f"{name}-{number}"
    try:
        ledger.reserve(Claim(run, "2026-01-01", "EUR", Decimal(100), {"x": Decimal(7)}))
    except Postponed:
        continue
    got += 1
    if number % 2:
        ledger.settle(run, {"x": Decimal(1)})
print(got)
"""


@pytest.mark.timeout(300)
def test_many_runs_at_once_never_take_more_than_the_day_has(settings, ledger):
    """B2: three processes ask as fast as they can for more than there is; overruns: 0."""
    ledger.unsettled()  # made before they race
    argv = [sys.executable, "-c", _WORKER, str(settings.home), settings.store]
    workers = [subprocess.Popen([*argv, f"w{n}"], stdout=subprocess.PIPE) for n in range(3)]
    got = [int(worker.communicate(timeout=250)[0]) for worker in workers]
    there, high, so_far = ledger.postings(), 0, []
    for posting in there:
        so_far.append(posting)
        high = max(high, taken(so_far, DAY, "EUR"))
    assert Decimal(93) <= as_amount(high) <= Decimal(100)
    assert sum(got) == len({p.run_id for p in there})
    assert sum(got) < 36, "nobody was refused: the test asked for too little"


_DEEDS = ("reserve", "settle")
_STATEMENTS = 9
"""More than any deed has, so that the last deaths come after the end."""


@pytest.mark.parametrize("deed", _DEEDS)
def test_a_death_between_any_two_entries_leaves_all_of_a_deed_or_nothing(
    settings, ledger, deed
):
    """B2: SIGKILL before each statement in turn; the books always balance."""
    whole = 0
    for last in range(_STATEMENTS):
        run = f"s--{last}"
        asked = replace(CLAIM, run_id=run, limit=Decimal(10_000),
                        amounts={name: Decimal(10) for name in "xyz"})
        if deed == "settle":
            ledger.reserve(asked)
        died = _dies(settings, last, partial(_act, settings, deed, asked))
        own = ledger.postings(run_id=run)
        before, after = (0, 3) if deed == "reserve" else (3, 9)
        assert len(own) in (before, after), own
        whole += len(own) == after
        assert died or len(own) == after
        told = balance(own)
        assert told.reserved == told.spent + told.released + told.open
        _act(settings, deed, asked)  # who comes after finds it unlocked
        assert after == len(ledger.postings(run_id=run))
    assert 0 < whole < _STATEMENTS


def _act(settings, deed, asked):
    own = SqlLedger(books_of(settings))
    if deed == "reserve":
        own.reserve(asked)
    else:
        own.settle(asked.run_id, dict.fromkeys(asked.amounts, Decimal(4)))


def _dies(settings, last, act):
    """Do it in a fork that kills itself before its statement number `last`; whether it did."""
    pid = os.fork()
    if not pid:
        try:
            left = itertools.count(last, -1)

            def count(*_):
                if next(left) == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(_database.engine(books_of(settings)), "before_cursor_execute", count)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert ended in (0, -signal.SIGKILL)
    return ended != 0
