"""How late 500 guards in one loop become. Run by `make bench` only."""

import asyncio
import math
import resource
import statistics
import time
from contextlib import AsyncExitStack, closing

import pytest
from aiohttp import web

from holdfast.clients.prometheus_live import Source, prometheus_live
from holdfast.clock import SystemClock
from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.steps.desk import desk_of
from holdfast.steps.watch import watch
from holdfast.stores.live import SqliteLeases
from support.guard import a_lease, a_watch

GUARDS, SECONDS = 500, 10.0


async def prometheus():
    """One number for every query, from the same process: the figures include its work."""
    body = ('{"status":"success","data":{"resultType":"vector",'
            '"result":[{"metric":{},"value":[1700000000,"0.001"]}]}}')
    app = web.Application()

    async def answer(_):
        return web.Response(text=body, content_type="application/json")

    app.router.add_get("/api/v1/query", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


class Punctuality:
    """Counts how late each sleep of a guard ends."""

    def __init__(self):
        self.late = []

    async def sleep(self, seconds):
        due = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        self.late.append(time.monotonic() - due)


def own_suite(number):
    """A guard whose queries nobody shares, as in 500 different suites."""
    task = a_watch(f"lease-{number}")
    alone = tuple(c.model_copy(update={"query": f"{c.query}:{number}"}) for c in task.conditions)
    return task.model_copy(update={"conditions": alone})


@pytest.mark.parametrize("shared", [True, False], ids=["one-suite", "500-suites"])
def test_500_guards_in_one_loop(tmp_path, capsys, shared):
    path, clock, pace = tmp_path / "live.db", SystemClock(), Punctuality()
    store = SqliteLeases(path)
    for number in range(GUARDS):
        store.open(a_lease(f"lease-{number}", round=number))
        store.move(f"lease-{number}", LeaseState.ARMED)

    async def beats():
        while True:
            await asyncio.to_thread(beat_all, path)
            await asyncio.sleep(1.0)

    async def guard(url, number):
        async with AsyncExitStack() as stack:
            desk = await stack.enter_async_context(
                desk_of(path, lambda: closing(SqliteLeases(path)), clock))
            metrics = await stack.enter_async_context(prometheus_live(Source(url), 0.4))
            task = a_watch(f"lease-{number}") if shared else own_suite(number)
            return await watch(task, desk, metrics, clock, pace.sleep)

    async def run():
        runner, url = await prometheus()
        guards = [asyncio.create_task(guard(url, n)) for n in range(GUARDS)]
        heart = asyncio.create_task(beats())
        await asyncio.sleep(SECONDS)
        store.stop(Revocation(Reason.STOPPED, "the bench is over", "bench", ""))
        ended = await asyncio.gather(*guards)
        heart.cancel()
        await runner.cleanup()
        return ended

    cpu = resource.getrusage(resource.RUSAGE_SELF)
    ended = asyncio.run(run())
    used = resource.getrusage(resource.RUSAGE_SELF)
    store.close()
    late = sorted(pace.late)
    p99 = late[math.ceil(len(late) * 0.99) - 1]
    renewals = [lease.counter for lease in ended]
    with capsys.disabled():
        print(f"\n{GUARDS} guards, {'shared' if shared else 'own'} queries: late p50 "
              f"{statistics.median(late) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, "
              f"max {late[-1] * 1e3:.1f} ms; renewals each {min(renewals)}-{max(renewals)}; "
              f"cpu {(used.ru_utime + used.ru_stime - cpu.ru_utime - cpu.ru_stime) / SECONDS:.0%}")
    assert {Reason.STOPPED} == {lease.revoked.reason for lease in ended}
    assert p99 < 0.25
    assert min(renewals) >= SECONDS


def beat_all(path):
    """Every keeper beats, in one transaction."""
    import sqlite3
    with closing(sqlite3.connect(path, timeout=5)) as db, db:
        db.execute("UPDATE leases SET beat = beat + 1")
