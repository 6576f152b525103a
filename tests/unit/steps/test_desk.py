"""Many guards, one writer thread, few transactions."""

import asyncio
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import pytest

from holdfast.clock import SystemClock
from holdfast.model.lease import Reason, Renewal, Revocation
from holdfast.ports.desk import TooLate
from holdfast.ports.leases import StoreDown
from holdfast.steps import desk as desk_module
from holdfast.steps.desk import desk_of
from support.guard import a_lease
from support.memory_leases import MemoryLeases

CLOCK = SystemClock()
LATER = float("inf")


@dataclass
class Store(MemoryLeases):
    """Counts its transactions and the threads they ran in; `broken` fails the next ones."""

    transactions: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    broken: int = 0

    def renew(self, renewals):
        self.threads.add(threading.get_ident())
        self.transactions.append(len(renewals))
        if self.broken:
            self.broken -= 1
            raise StoreDown("database is locked")
        return super().renew(renewals)


def store_with(count):
    store = Store()
    for number in range(count):
        store.open(a_lease(f"lease-{number}", round=number))
    return store


def on_desk(store, act):
    async def go():
        async with desk_of("live.db", lambda: nullcontext(store), CLOCK) as desk:
            return await act(desk)
    return asyncio.run(go())


def test_the_renewals_of_many_guards_are_one_transaction():
    store = store_with(200)

    async def all_renew(desk):
        return await asyncio.gather(*(desk.renew(Renewal(i), LATER) for i in store.rows))

    rows = on_desk(store, all_renew)
    assert store.transactions == [200]
    assert [row.counter for row in rows] == [1] * 200


def test_transactions_keep_their_distance():
    store = store_with(1)

    async def three(desk):
        began = time.monotonic()
        for _ in range(3):
            await desk.renew(Renewal("lease-0"), LATER)
        return time.monotonic() - began

    assert 0.1 <= on_desk(store, three) < 1.0


def test_the_store_is_used_in_one_thread_and_not_in_the_loops():
    store = store_with(3)

    async def renew(desk):
        await asyncio.gather(*(desk.renew(Renewal(i), LATER) for i in store.rows))
        await desk.renew(Renewal("lease-0"), LATER)

    on_desk(store, renew)
    assert len(store.threads) == 1
    assert threading.get_ident() not in store.threads


def test_a_renewal_that_is_too_old_is_not_written():
    """A guard that was stopped on its way to the store must not renew when it wakes."""
    store = store_with(2)

    async def renew(desk):
        return await asyncio.gather(desk.renew(Renewal("lease-0"), CLOCK.boottime() - 0.001),
                                    desk.renew(Renewal("lease-1"), LATER), return_exceptions=True)

    late, timely = on_desk(store, renew)
    assert isinstance(late, TooLate)
    assert (store.rows["lease-0"].counter, timely.counter) == (0, 1)


def test_only_late_renewals_touch_no_store():
    store = store_with(1)
    with pytest.raises(TooLate):
        on_desk(store, lambda desk: desk.renew(Renewal("lease-0"), 0.0))
    assert store.transactions == []


def test_an_error_of_the_store_reaches_each_guard_and_the_next_try_works():
    store = store_with(2)
    store.broken = 1

    async def twice(desk):
        first = await asyncio.gather(*(desk.renew(Renewal(i), LATER) for i in store.rows),
                                     return_exceptions=True)
        return first, await desk.renew(Renewal("lease-0"), LATER)

    first, second = on_desk(store, twice)
    assert [StoreDown] * 2 == [type(error) for error in first]
    assert second.counter == 1


def test_a_store_that_cannot_be_opened_is_tried_again():
    stores = [StoreDown("unable to open"), store_with(1)]

    def open_store():
        found = stores.pop(0)
        if isinstance(found, Exception):
            raise found
        return nullcontext(found)

    async def go():
        async with desk_of("live.db", open_store, CLOCK) as desk:
            with pytest.raises(StoreDown):
                await desk.read("lease-0")
            return await desk.read("lease-0")

    assert asyncio.run(go()).id == "lease-0"


def test_a_guard_that_is_cancelled_takes_no_neighbour_along():
    store = store_with(2)

    async def go(desk):
        await desk.renew(Renewal("lease-0"), LATER)
        one = asyncio.create_task(desk.renew(Renewal("lease-0"), LATER))
        two = asyncio.create_task(desk.renew(Renewal("lease-1"), LATER))
        await asyncio.sleep(0)
        one.cancel()
        return await two

    assert on_desk(store, go).counter == 1


def test_the_neighbours_are_the_other_experiments_of_the_round():
    store = Store()
    for lease in (a_lease("mine"), a_lease("try"), a_lease("other", experiment="b"),
                  a_lease("later", experiment="c", round=1)):
        store.open(lease)
    found = on_desk(store, lambda desk: desk.neighbours(a_lease("mine")))
    assert ["other"] == [lease.id for lease in found]


def test_a_revocation_is_made_at_the_last_moment():
    store, made = store_with(1), []

    def revocation():
        made.append(threading.get_ident())
        return Revocation(Reason.BREACH, "p95", "guard", "")

    row = on_desk(store, lambda desk: desk.revoke("lease-0", revocation))
    assert Reason.BREACH is row.revoked.reason
    assert made != [threading.get_ident()]


def test_the_store_is_closed_in_the_thread_that_opened_it():
    store, threads = store_with(1), []

    @contextmanager
    def opened():
        threads.append(threading.get_ident())
        yield store
        threads.append(threading.get_ident())

    async def go():
        async with desk_of("live.db", opened, CLOCK) as desk:
            await desk.read("lease-0")
            return desk.thread

    asyncio.run(go()).shutdown(wait=True)
    assert threads == [threads[0]] * 2


def test_the_desk_is_shared_and_closed_by_the_last():
    async def go():
        async with (desk_of("a", nullcontext, CLOCK) as one,
                    desk_of("a", nullcontext, CLOCK) as two,
                    desk_of("b", nullcontext, CLOCK) as other):
            return one is two, one is other

    assert asyncio.run(go()) == (True, False)
    assert desk_module._desks == {}
