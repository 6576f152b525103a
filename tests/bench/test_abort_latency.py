"""How long a breach that Prometheus shows may last until the revert begins. By `make bench` only.

Through a real Airflow, shop and Prometheus: a few runs of several rounds, each ended by its guard.
An observer of its own asks Prometheus the guard's queries every 50 ms; a breach is visible from
the moment the first question was sent whose answer breaks an objective.

Guard and Prometheus both keep step with the clock, so within one suite every abort takes nearly
the same. The guard's step is worked out from its queries: each run spells them differently, and so
the figures are spread over the poll, as those of different suites are.
"""

import math
import os
import statistics
import time

import pytest

from holdfast.clients.connections import connection
from holdfast.clients.prometheus import PrometheusMetrics
from holdfast.model.lease import LeaseState, Reason
from holdfast.spec.load import load_suite
from holdfast.steps.figures import lease_figures
from support.lab import CHECKOUT, boottime, deployment, until

RUNS = int(os.environ.get("HOLDFAST_BENCH_RUNS", "20"))
SUITES = min(5, RUNS)
ROUNDS = max(1, RUNS // SUITES)
LOOK_SECONDS = 0.05

pytestmark = pytest.mark.timeout(3600)


def abort_suite(number):
    """The shipped shop-abort with its one round repeated and its queries spelled another way."""
    text = (CHECKOUT / "experiments" / "shop-abort.suite.yaml").read_text()
    head, _, rest = text.partition("rounds:\n")
    one, _, _ = rest.partition("consistency:")
    rounds = "".join(one.rstrip().replace("database-far-away", f"far-{n}") + "\n"
                     for n in range(1, ROUNDS + 1))
    head = head.replace("name: shop-abort", f"name: abort-{number}")
    return head.replace("rate(", "rate(" + " " * number) + (
        f"rounds:\n{rounds}after_abort: continue\n"
        "consistency:\n  - {checker: lost_writes, history: orders}\n"
    )


def seen_broken(metrics, objectives):
    """When a breach was first visible: the moment its question was sent."""
    while True:
        for objective in objectives:
            asked = boottime()
            sample = metrics.now(objective.indicator.prometheus)
            if sample.value is not None and not objective.objective.holds(sample.value):
                return asked
        time.sleep(LOOK_SECONDS)


def ended_by_guard(run, number, metrics, objectives):
    """One abort: milliseconds from the breach to the revert, the guard's and the keeper's part."""
    lease = run.until_active(number, 120.0)
    visible = seen_broken(metrics, objectives)
    until(lambda: LeaseState.REVERTING in [x.state for x in run.lines(lease)], 30.0)
    reverting = next(x.boottime for x in run.lines(lease) if x.state is LeaseState.REVERTING)
    run.until_state(lease, LeaseState.CLEAN, 30.0)
    until(lambda: run.leases[number].state is LeaseState.CLEAN, 5.0)
    row = run.leases[number]
    assert Reason.BREACH is row.revoked.reason
    figures = lease_figures(run.lab.ports, row)
    return (reverting - visible) * 1000, figures["guard_ms"], figures["keeper_ms"]


def all_rounds(lab, name):
    """One run of one suite to its end."""
    suite = load_suite(lab.settings.experiments / f"{name}.suite.yaml").suite
    metrics = PrometheusMetrics(connection(lab.settings.connections, "prometheus_default").url)
    run = lab.trigger(name)
    parts = [ended_by_guard(run, n, metrics, suite.objectives) for n in range(ROUNDS)]
    run.until_over()
    return parts


def test_a_breach_is_reverted_soon(tmp_path, capsys):
    suites = {f"abort-{n}": abort_suite(n) for n in range(SUITES)}
    with deployment(tmp_path, suites) as lab:
        parts = [part for name in suites for part in all_rounds(lab, name)]
    whole, guard, keeper = (sorted(figures) for figures in zip(*parts, strict=True))
    with capsys.disabled():
        print(f"\n{len(parts)} aborts, poll 0.5 s, {os.cpu_count()} cores, "
              f"load {os.getloadavg()[0]:.1f}")
        for name, figures in (("breach visible to revert begun", whole), ("  guard", guard),
                              ("  keeper", keeper)):
            p95 = figures[math.ceil(len(figures) * 0.95) - 1]
            print(f"{name:32} p50 {statistics.median(figures):4.0f} ms, p95 {p95:4.0f} ms, "
                  f"max {figures[-1]:4.0f} ms")
    assert whole[math.ceil(len(whole) * 0.95) - 1] < 1000
