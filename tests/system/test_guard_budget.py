"""A budget that runs out while a fault is on: real guard, real store, real Prometheus (B1)."""

import asyncio
import shutil
from contextlib import closing
from decimal import Decimal
from math import ceil

import pytest
from aiohttp import web

from holdfast.clients.prometheus_live import Source, prometheus_live
from holdfast.clock import SystemClock
from holdfast.model.allowance import BudgetSpec
from holdfast.model.lease import LeaseState, Reason
from holdfast.safety.meter import Allowed, Purse
from holdfast.steps.desk import desk_of
from holdfast.steps.watch import watch
from holdfast.stores.live import SqliteLeases
from support.guard import a_lease, a_watch
from support.prometheus import free_port, prometheus

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs Debian's prometheus"),
]
PER_SECOND = 100
LEASE_SECONDS = 2.0


def guard(tmp_path, reserved, hits=0.0):
    """Guard a fault while requests come in; give back the lease and the requests until its end."""
    port, clock = free_port(), SystemClock()
    store = SqliteLeases(tmp_path / "live.db")
    store.open(a_lease(lease_seconds=LEASE_SECONDS, duration_seconds=60.0))
    store.move("lease", LeaseState.ARMED)
    begun = clock.boottime()
    on: list[int] = []

    def requests():
        return int((clock.boottime() - begun) * PER_SECOND)

    async def exporter(_):
        hit = (requests() - on[0]) * hits if on else 0
        return web.Response(text=f"p95 0.1\nerrors 0\nrequests {requests()}\nhit {hit}\n")

    async def keeper():
        """Inject at the first renewal, live until the lease is revoked."""
        while store.read("lease").revoked is None:
            store.beat("lease")
            if not on and store.read("lease").counter:
                store.begin_injection("lease")
                on.append(requests())
                store.move("lease", LeaseState.ACTIVE, injected_at=clock.boottime())
            await asyncio.sleep(0.05)
        return requests() - on[0]

    async def go(url):
        app = web.Application()
        app.router.add_get("/metrics", exporter)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        price = BudgetSpec.model_validate({"most_requests_per_second": PER_SECOND})
        task = a_watch(grace=30.0, lease=LEASE_SECONDS * 10, allowed=Allowed(
            requests="requests", hit="hit", traffic=0.1,
            purse=Purse(reserved=Decimal(reserved), budget=price)))
        opened = desk_of(tmp_path, lambda: closing(SqliteLeases(tmp_path / "live.db")), clock)
        try:
            async with opened as desk, prometheus_live(Source(url), 0.4) as metrics:
                used, lease = await asyncio.gather(keeper(), watch(task, desk, metrics, clock))
                return lease, used
        finally:
            await runner.cleanup()

    with prometheus(tmp_path, port) as (_, url):
        try:
            return asyncio.run(asyncio.wait_for(go(url), 100))
        finally:
            store.close()


def test_the_fault_ends_before_it_has_cost_more_than_was_set_aside(tmp_path):
    lease, used = guard(tmp_path, "2.5")
    assert Reason.BUDGET is lease.revoked.reason, lease.revoked.text
    assert 0 < used < ceil(2.5 * 1000)
    assert "were reserved" in lease.revoked.text


def test_the_fault_ends_that_hits_more_of_the_traffic_than_it_may(tmp_path):
    """S2."""
    lease, _ = guard(tmp_path, "100", hits=0.5)
    assert Reason.BREACH is lease.revoked.reason, lease.revoked.text
    assert lease.revoked.text.startswith("blast radius: ")
