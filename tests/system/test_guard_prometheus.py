"""The guard on a real Prometheus that scrapes a real exporter: breach, silence, death."""

import asyncio
import os
import shutil
import signal
import time
from contextlib import closing

import pytest
from aiohttp import web

from holdfast.clients.prometheus_live import Source, prometheus_live
from holdfast.clock import SystemClock
from holdfast.model.lease import LeaseState, Reason
from holdfast.steps.desk import desk_of
from holdfast.steps.watch import watch
from holdfast.stores.live import SqliteLeases
from support.guard import a_lease, a_watch
from support.prometheus import free_port, prometheus

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs Debian's prometheus"),
]


def guard_until(tmp_path, trouble, dated=None, max_age=None):
    """Let a guard renew against a real Prometheus, make trouble, give back (lease, seconds).

    `dated` gives the date that the exporter puts on its samples, in ms.
    """
    values, port, clock = {"p95": 0.1, "errors": 0.0}, free_port(), SystemClock()
    store = SqliteLeases(tmp_path / "live.db")
    store.open(a_lease())
    store.move("lease", LeaseState.ARMED)

    async def exporter(_):
        date = f" {dated()}" if dated else ""
        return web.Response(text="".join(f"{k} {v}{date}\n" for k, v in values.items()))

    async def go(process, url):
        app = web.Application()
        app.router.add_get("/metrics", exporter)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        async with (desk_of(tmp_path, lambda: closing(SqliteLeases(tmp_path / "live.db")), clock)
                    as desk, prometheus_live(Source(url, max_age=max_age), 0.4) as metrics):
            guard = asyncio.create_task(watch(a_watch(grace=20.0), desk, metrics, clock))
            try:
                await until(store, guard, 3)
                guard.cancel()
                guard = asyncio.create_task(watch(a_watch(grace=2.0), desk, metrics, clock))
                await until(store, guard, 6)
                began = time.monotonic()
                trouble(values, process)
                while not guard.done():
                    store.beat("lease")
                    await asyncio.sleep(0.05)
                return await guard, time.monotonic() - began
            finally:
                guard.cancel()
                await runner.cleanup()

    with prometheus(tmp_path, port) as (process, url):
        try:
            return asyncio.run(asyncio.wait_for(go(process, url), 60))
        finally:
            store.close()


async def until(store, guard, renewals):
    while store.read("lease").counter < renewals:
        assert not guard.done(), guard.result().revoked
        store.beat("lease")
        await asyncio.sleep(0.05)


def test_a_breach_is_revoked_within_a_scrape_and_a_poll(tmp_path):
    lease, seconds = guard_until(tmp_path, lambda values, _: values.update(p95=1.93))
    assert lease.revoked.reason is Reason.BREACH
    assert lease.revoked.text == "latency-p95 was 1930ms, objective < 500ms"
    assert seconds < 0.25 + 0.5 + 0.75
    assert lease.revoked.spent_ms < 250


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_prometheus_that_is_gone_ends_the_fault_after_the_grace(tmp_path, sign):
    """S5: killed and hung look the same to the guard."""
    lease, seconds = guard_until(tmp_path, lambda _, process: os.kill(process.pid, sign))
    assert lease.revoked.reason is Reason.NO_DATA
    assert 1.4 <= seconds <= 2.0 + 0.5 + 0.4 + 0.75


def test_an_exporter_that_is_gone_is_missing_data(tmp_path):
    """A scrape that fails marks its series stale: they end, they do not freeze."""
    lease, _ = guard_until(tmp_path, lambda values, _: values.clear())
    assert lease.revoked.reason is Reason.NO_DATA
    assert "no series instead of one" in lease.revoked.text


def test_samples_that_grow_old_are_missing_data(tmp_path):
    """S4: of a series with dates of its own Prometheus never says that it has ended."""
    began = []

    def dated():
        return round((began[0] if began else time.time()) * 1000)

    lease, seconds = guard_until(tmp_path, lambda *_: began.append(time.time()), dated, 1.5)
    assert lease.revoked.reason is Reason.NO_DATA
    assert "the latest sample is" in lease.revoked.text
    assert "s old, 1.5 s allowed" in lease.revoked.text
    assert 3.0 <= seconds <= 1.5 + 2.0 + 0.5 + 0.4 + 1.0
