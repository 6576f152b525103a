"""What is pending is charged later, once, and what was paid is written down (R6)."""

import asyncio

import psycopg
import pytest

from shop.api import statements
from shop.api.breaker import Breaker
from shop.api.collector import BATCH, Collector
from shop.api.pool import Refused, Unknown


class Database:
    """Stands in for the pool: orders that are due, and those that were marked."""

    def __init__(self, due=()):
        self.due, self.marked, self.failure = list(due), [], None

    async def run(self, statement, values):
        if self.failure is not None:
            raise self.failure
        if statement == statements.MARK_PAID:
            self.marked += sorted(values["keys"])
            return []
        claimed, self.due = self.due[: values["most"]], self.due[values["most"]:]
        return [{"key": key, "amount_cents": 7} for key in claimed]


class Service:
    """Stands in for the payments: takes charges until told otherwise."""

    def __init__(self, takes=10**6):
        self.takes, self.charged, self.breaker = takes, [], Breaker(lambda _: None)

    async def charge(self, key, amount_cents, _seconds):
        if len(self.charged) >= self.takes:
            return False
        self.charged.append((key, amount_cents))
        return True


def _keys(count):
    return [f"k{n:03}" for n in range(count)]


def test_due_orders_are_charged_and_then_marked():
    database, service = Database(["a", "b"]), Service()
    collector = Collector(database, service)
    asyncio.run(collector.collect())
    asyncio.run(collector.mark())
    assert [("a", 7), ("b", 7)] == service.charged
    assert ["a", "b"] == database.marked


def test_more_than_a_batch_is_collected_at_once():
    database, service = Database(_keys(BATCH + 1)), Service()
    asyncio.run(Collector(database, service).collect())
    assert BATCH + 1 == len(service.charged)


def test_the_first_that_is_not_taken_ends_the_round():
    database, service = Database(_keys(BATCH + 1)), Service(takes=3)
    collector = Collector(database, service)
    asyncio.run(collector.collect())
    asyncio.run(collector.mark())
    assert _keys(3) == database.marked
    assert 1 == len(database.due)


def test_an_open_breaker_is_not_asked():
    database, service = Database(["a"]), Service()
    for _ in range(5):
        service.breaker.settle(service.breaker.admit(), well=False)
    asyncio.run(Collector(database, service).collect())
    assert ["a"] == database.due


@pytest.mark.parametrize("failure", [Refused("away"), Unknown("lost")])
def test_a_mark_that_failed_is_made_later(failure):
    database = Database()
    collector = Collector(database, Service())
    collector.paid("a")
    database.failure = failure
    asyncio.run(collector.mark())
    collector.paid("b")
    database.failure = None
    asyncio.run(collector.mark())
    assert ["a", "b"] == database.marked


def test_nothing_paid_asks_nothing():
    database = Database()
    database.failure = AssertionError("asked")
    asyncio.run(Collector(database, Service()).mark())


def test_without_a_database_nothing_is_charged():
    database, service = Database(["a"]), Service()
    database.failure = Refused("away")
    asyncio.run(Collector(database, service).collect())
    assert [] == service.charged


def test_an_error_of_the_database_is_logged_and_the_work_goes_on(monkeypatch, caplog):
    monkeypatch.setattr("shop.api.collector._MARK_SECONDS", 0.001)
    database = Database()
    database.failure = psycopg.errors.UndefinedTable("orders are gone")
    collector = Collector(database, Service())

    async def run():
        working = asyncio.create_task(collector.run())
        while not caplog.records:
            collector.paid("a")
            await asyncio.sleep(0)
        database.failure = None
        while not database.marked:
            collector.paid("b")
            await asyncio.sleep(0)
        working.cancel()

    asyncio.run(run())
    assert "orders are gone" in caplog.text
