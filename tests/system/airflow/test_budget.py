"""A budget that runs out while the fault is on, through a real Airflow."""

import json
import re
import time
from decimal import Decimal

import pytest

from holdfast.clients.connections import connection
from holdfast.clients.prometheus import PrometheusMetrics
from holdfast.model.lease import End, LeaseState, Reason
from holdfast.model.run import EntryKind
from holdfast.model.verdict import Verdict
from support.lab import Asked
from support.lab_suites import POOR

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def told_by_prometheus(lab, query, limit=30.0):
    """Wait until the shop's Prometheus has scraped it."""
    prometheus = PrometheusMetrics(connection(lab.settings.connections, "prometheus_default").url)
    end = time.monotonic() + limit
    while (sample := prometheus.now(query)).value is None and time.monotonic() < end:
        time.sleep(0.5)
    return sample


def test_a_budget_that_runs_out_ends_the_fault_and_is_settled(lab):
    """B1 B2 B3: exit code 4, UNKNOWN, no overrun, and the figures everywhere."""
    done = lab.command("run", POOR, timeout=400)
    run = Asked(lab, *re.search(r"^run (\S+)--(\S+)$", done.stdout, re.MULTILINE).groups())
    assert (4, Verdict.UNKNOWN) == (done.returncode, run.book.verdict), done.stdout + done.stderr
    (lease,) = run.leases
    assert (Reason.BUDGET, End.REVOKED, LeaseState.CLEAN) == (
        lease.revoked.reason, lease.ended, lease.state)
    assert 1.0 < lease.reverted_at - lease.injected_at < 40.0
    assert "were reserved" in run.book.reason

    entries = {e.name: e.data for e in lab.ports.books.read(run.id, EntryKind.SPEND)}
    reserved, spent, released = (
        Decimal(entries["run"][key]) for key in ("reserved", "spent", "released"))
    assert Decimal("0.76") == reserved == spent + released
    assert 0 < spent <= reserved
    assert entries["run"]["requests"] == entries["watched"]["requests"] > 50

    budget = json.loads(lab.command("budget", "--json").stdout)
    left = {s["suite"]: Decimal(s["left"]) for s in budget["suites"]}
    assert Decimal(500) - Decimal(budget["currencies"]["EUR"]["spent"]) == left[POOR]
    seen = told_by_prometheus(lab, f'holdfast_budget_left{{suite="{POOR}"}}')
    assert seen.value is not None, seen.why
