"""Migrations go up and down with data in the tables, on both databases."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from holdfast.model.ledger import Claim
from holdfast.model.run import Run
from holdfast.settings import Settings
from holdfast.stores import _database
from holdfast.stores.books import SqlBooks
from holdfast.stores.ledger import SqlLedger
from holdfast.stores.places import books_of, leases_of
from support.leases import a_lease

RUN = Run("s--1", "s", "env", "ana", "sha256:ab", "2026-01-01T00:00:00+00:00", 12.5)
CLAIM = Claim("s--1", "2026-01-01", "EUR", Decimal(9000), {"x": Decimal(5000)})


@pytest.fixture
def moved(settings: Settings) -> Callable[[str], None]:
    """Bring the database to a revision, as an operator would with Alembic."""
    config = Config()
    config.set_main_option("script_location", str(Path(_database.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")

    def move(revision: str) -> None:
        with _database.engine(books_of(settings)).begin() as connection:
            config.attributes["connection"] = connection
            (command.upgrade if revision == "head" else command.downgrade)(config, revision)

    return move


def filled(settings, lease="lease-1"):
    books, ledger = SqlBooks(books_of(settings)), SqlLedger(books_of(settings))
    books.open_run(RUN)
    ledger.reserve(CLAIM)
    leases_of(settings).open(a_lease(id=lease))
    return books, ledger


@pytest.mark.parametrize("down", ["0002", "0001"])
def test_what_an_older_table_holds_survives_the_way_down_and_up(settings, moved, down):
    books, ledger = filled(settings)
    moved(down)
    moved("head")
    assert [RUN] == books.runs()
    assert (1 if down == "0002" else 0) == len(ledger.postings())
    leases_of(settings).open(a_lease(id="lease-2"))


def test_all_the_way_down_nothing_is_left_and_up_again_all_works(settings, moved):
    filled(settings)
    moved("base")
    moved("head")
    books, ledger = SqlBooks(books_of(settings)), SqlLedger(books_of(settings))
    assert ([], []) == (books.runs(), ledger.postings())
    filled(settings, "lease-2")


def test_books_of_an_older_version_are_brought_up_by_the_next_who_opens_them(settings, moved):
    books, ledger = filled(settings)
    moved("0002")
    _database.engine.cache_clear()
    assert [RUN] == books.runs()
    assert Decimal(5000) == Decimal(ledger.postings()[0].amount) / 1_000_000
    assert leases_of(settings).environments() is not None
