"""A run of a suite without Airflow: every step in its order, real keepers, a guard in this process.

For tests on a real shop that are about what a run finds, not about who runs it.
"""

import asyncio
from asyncio import to_thread
from contextlib import closing
from pathlib import Path

from holdfast.clients.connections import connection
from holdfast.clients.prometheus_live import prometheus_live, source
from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError
from holdfast.model.run import Run
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.steps.arm import arm
from holdfast.steps.baseline import baseline
from holdfast.steps.book import suite_of
from holdfast.steps.check import check
from holdfast.steps.conclude import conclude
from holdfast.steps.desk import desk_of
from holdfast.steps.plan import PlanRequest, plan
from holdfast.steps.preflight import preflight
from holdfast.steps.recover import recover
from holdfast.steps.reserve import reserve
from holdfast.steps.revert import revert
from holdfast.steps.seal import seal
from holdfast.steps.settle import settle
from holdfast.steps.spend import task_of_guard
from holdfast.steps.steady import steady
from holdfast.steps.verdict import close
from holdfast.steps.watch import watch
from holdfast.stores.live import SqliteLeases
from holdfast.wiring import ports as wired
from shop.processes import wait_for


def trial(home: Path, suite_file: Path, number: int = 1, only: tuple[str, ...] = ()) -> Run:
    """Run a suite against the shop of this home, and give back the run as it ended."""
    ports = wired(Settings(home=home, experiments=suite_file.parent))
    run_id = f"{suite_file.name.partition('.')[0]}--trial-{number}"
    plan(ports, PlanRequest(run_id, suite_file, only))
    assert wait_for(lambda: _is_seen(ports, run_id), 30, pause=0.5), "an objective has no data"
    try:
        _steps(ports, run_id)
    finally:
        run = _closed(ports, run_id)
    return run


def _is_seen(ports: Ports, run_id: str) -> bool:
    """A shop that has just begun has no rate yet."""
    suite = suite_of(ports, run_id)
    metrics = ports.metrics(suite.target.prometheus)
    queries = (o.indicator.prometheus for o in suite.objectives)
    return all(metrics.now(query).value is not None for query in queries)


def _steps(ports: Ports, run_id: str) -> None:
    preflight(ports, run_id)
    reserve(ports, run_id)
    baseline(ports, run_id)
    for index in range(len(suite_of(ports, run_id).rounds)):
        steady(ports, run_id, index)
        asyncio.run(_round(ports, run_id, index))
    check(ports, run_id)
    settle(ports, run_id)
    seal(ports, run_id)


def _closed(ports: Ports, run_id: str) -> Run:
    try:
        return close(ports, run_id)
    except HoldfastError as error:  # what a run with a bad end raises; the books say the same
        run = ports.books.run(run_id)
        assert run is not None, error
        return run


async def _round(ports: Ports, run_id: str, index: int) -> None:
    """Every experiment of the round side by side."""
    names = [e.name for e in suite_of(ports, run_id).rounds[index].experiments]
    await asyncio.gather(*(_experiment(ports, run_id, name) for name in names))


async def _experiment(ports: Ports, run_id: str, name: str) -> None:
    lease_id = await to_thread(arm, ports, run_id, name)
    try:
        await _guard(ports, run_id, name, lease_id)
        await to_thread(conclude, ports, run_id, name, lease_id)
    except HoldfastError:
        pass  # it is in the books: what ended the fault early is a finding
    finally:
        await to_thread(revert, ports, lease_id)
    await to_thread(recover, ports, run_id, name, lease_id)


async def _guard(ports: Ports, run_id: str, name: str, lease_id: str) -> None:
    task = await to_thread(task_of_guard, ports, run_id, name, lease_id)
    suite, live = suite_of(ports, run_id), ports.settings.live
    found = connection(ports.settings.connections, suite.target.prometheus)
    desk = desk_of(live, lambda: closing(SqliteLeases(live)), SystemClock())
    async with desk as at_desk, prometheus_live(source(found), 0.4) as metrics:
        await watch(task, at_desk, metrics, SystemClock())
