"""How late guards become with their number, in two processes over one store. `make bench` only.

Each process runs the trigger's own `run`, as a triggerer would, without the rest of Airflow. The
leases are those of a fault that touches nothing, whose keepers are only rows that beat.
"""

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from threading import Event, Thread

import pytest

from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.stores.live import SqliteLeases
from support.fleet import Fleet, prometheus
from support.guard import a_lease, a_watch
from support.waiting import wait_for

SECONDS = 20.0
SUITE = 10  # guards that ask the same, as the faults of one suite do


def a_guard(number, own):
    """The task of one guard: two queries, shared with its suite or all its own."""
    task = a_watch(f"lease-{number}")
    mark = number if own else number // SUITE
    asked = tuple(c.model_copy(update={"query": f"{c.query}:{mark}"}) for c in task.conditions)
    return task.model_copy(update={"conditions": asked}).model_dump(mode="json")


@contextmanager
def heart(path):
    """Every keeper beats once a second, in one transaction."""
    over = Event()

    def beat():
        while not over.wait(1.0):
            with closing(sqlite3.connect(path, timeout=5)) as db, db:
                db.execute("UPDATE leases SET beat = beat + 1")

    thread = Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("own", [False, True], ids=["suites-of-10", "each-its-own"])
@pytest.mark.parametrize("guards", [10, 100, 1000])
def test_guards_over_two_processes(tmp_path, capsys, guards, own):
    path = tmp_path / "live.db"
    store = SqliteLeases(path)
    names = [f"lease-{number}" for number in range(guards)]
    for number, name in enumerate(names):
        store.open(a_lease(name, run_id=f"suite--{number // SUITE}", round=number))
        store.move(name, LeaseState.ARMED)
    tasks = {name: a_guard(number, own) for number, name in enumerate(names)}
    halves = [dict(list(tasks.items())[side::2]) for side in (0, 1)]
    with prometheus(tmp_path), heart(path):
        fleets = [Fleet(tmp_path, f"side-{n}", half) for n, half in enumerate(halves)]
        try:
            wait_for(lambda: all(f.seen().get("renewals") for f in fleets), 400)
            time.sleep(SECONDS)
            going = [store.read(name).revoked for name in names]
            store.stop(Revocation(Reason.STOPPED, "the bench is over", "bench", ""))
            for fleet in fleets:
                fleet.process.wait(60)
        finally:
            for fleet in fleets:
                fleet.kill()
            store.close()
    with capsys.disabled():
        print(f"\n{guards} guards, {'own queries' if own else 'suites of 10'}, load average "
              f"{os.getloadavg()[0]:.0f}:")
        for seen in (fleet.seen() for fleet in fleets):
            cpu = (seen["cpu_seconds"] - seen["startup_cpu_seconds"]) / seen["seconds"]
            print(f"  {seen['polls']} polls, late p50 {seen['late_p50_ms']:.1f} ms, p99 "
                  f"{seen['late_p99_ms']:.1f} ms, max {seen['late_max_ms']:.0f} ms; cpu {cpu:.0%}, "
                  f"{seen['rss_mb']:.0f} MB; {seen['renewals'] / seen['batches']:.1f} renewals a "
                  f"transaction, {seen['batches'] / seen['seconds']:.1f} transactions/s")
    assert not [revoked for revoked in going if revoked]
    assert max(fleet.seen()["late_p99_ms"] for fleet in fleets) < 1000
