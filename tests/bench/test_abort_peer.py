"""A breach to the end of its fault: Holdfast beside Chaos Toolkit with safeguards, on one shop.

Both break the same path (2 s on the way to the database, 30 s long) and may stop on the same
queries. An observer that belongs to neither asks Prometheus and the proxy every 50 ms: a breach is
visible from the first question whose answer breaks an objective, a fault is gone when the proxy has
no toxic any more. By `make bench` only; HOLDFAST_BENCH_RUNS aborts of each (20).
"""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

import pytest

from bench.test_abort_latency import ROUNDS, SUITES, abort_suite
from holdfast.clients.connections import connection
from holdfast.clients.prometheus import PrometheusMetrics
from holdfast.clients.toxics import Toxics
from holdfast.model.lease import LeaseState
from holdfast.spec.load import load_suite
from support.lab import deployment, until
from support.peers import peer

RUNS = ROUNDS * SUITES
FAULT_SECONDS = 30
LOOK_SECONDS = 0.05

pytestmark = pytest.mark.timeout(5400)


@dataclass(frozen=True)
class Seen:
    """One abort; seconds from the visible breach. `gone` is None for a fault left in place."""

    gone: float | None
    left: float | None = None
    """When the tool had ended, where that can be told from outside."""


class Observer:
    """Looks at the shop for both."""

    def __init__(self, lab) -> None:
        file = lab.settings.connections
        self.metrics = PrometheusMetrics(connection(file, "prometheus_default").url)
        self.toxics = Toxics(connection(file, "shop_proxy"))
        suite = load_suite(lab.settings.experiments / "abort-0.suite.yaml").suite
        self.objectives = suite.objectives

    def holds(self) -> bool:
        samples = [(o, self.metrics.now(o.indicator.prometheus)) for o in self.objectives]
        return all(s.value is not None and o.objective.holds(s.value) for o, s in samples)

    def is_slow(self) -> bool:
        return bool(self.toxics.proxy().toxics)

    def abort(self, has_left=lambda: False) -> Seen:
        """Wait for fault and breach, then for the end of the fault or of the tool."""
        until(self.is_slow, 120.0, pause=LOOK_SECONDS)
        asked = time.monotonic()
        while self.holds():
            time.sleep(LOOK_SECONDS)
            asked = time.monotonic()
        gone = left = None
        while gone is None and (left is None or time.monotonic() - left < 5.0):
            if not self.is_slow():
                gone = time.monotonic()
            elif left is None and has_left():
                left = time.monotonic()
            time.sleep(LOOK_SECONDS)
        return Seen(gone and gone - asked, left and left - asked)

    def heal(self) -> None:
        """Take away what was left, and wait for a steady shop."""
        for toxic in self.toxics.proxy().toxics:
            self.toxics.remove(toxic)
        until(self.holds, 60.0, pause=0.5)


def experiment(lab, observer: Observer) -> dict[str, object]:
    """The same as shop-abort, in Chaos Toolkit's words."""
    file = lab.settings.connections
    control, prometheus = (connection(file, n).url for n in ("shop_proxy", "prometheus_default"))
    toxic = {"name": "far", "type": "latency", "stream": "upstream", "toxicity": 1.0,
             "attributes": {"latency": 2000}}
    queries = " and ".join(
        f"(({o.indicator.prometheus}) {o.objective.op} bool {o.objective.value!r} == 1)"
        for o in observer.objectives
    )
    steady = {
        "type": "probe", "name": "objectives hold", "frequency": 0.5,
        "tolerance": {"type": "regex", "pattern": '"value":', "target": "body"},
        "provider": {"type": "http", "url": f"{prometheus}/api/v1/query", "timeout": 2,
                     "arguments": {"query": f"({queries})"}},
    }
    headers = {"Content-Type": "application/json"}
    path = f"{control}/proxies/{observer.toxics.name}/toxics"
    hypothesis = {k: v for k, v in steady.items() if k != "frequency"}
    return {
        "title": "database far away", "description": "as shop-abort",
        "controls": [{"name": "safeguards", "provider": {
            "type": "python", "module": "chaosaddons.controls.safeguards",
            "arguments": {"probes": [steady]}}}],
        "steady-state-hypothesis": {"title": "steady", "probes": [hypothesis]},
        "method": [{
            "type": "action", "name": "far", "pauses": {"after": FAULT_SECONDS},
            "provider": {"type": "http", "url": path, "method": "POST", "headers": headers,
                         "arguments": toxic},
        }],
        "rollbacks": [{
            "type": "action", "name": "near",
            "provider": {"type": "http", "url": f"{path}/far", "method": "DELETE"},
        }],
    }


def peers_aborts(lab, observer: Observer, strategy: str) -> list[Seen]:
    """So many runs of `chaos run`."""
    file = lab.root / "experiment.json"
    file.write_text(json.dumps(experiment(lab, observer)))
    seen = []
    for _ in range(RUNS):
        run = subprocess.Popen(
            [str(peer("chaostoolkit") / "chaos"), "--no-version-check", "run",
             "--rollback-strategy", strategy, "--journal-path", str(lab.root / "j.json"),
             str(file)],
            cwd=lab.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            seen.append(observer.abort(lambda run=run: run.poll() is not None))
            run.wait(60)
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
        observer.heal()
    return seen


def our_aborts(lab, observer: Observer) -> list[Seen]:
    seen = []
    for number in range(SUITES):
        run = lab.trigger(f"abort-{number}")
        for turn in range(ROUNDS):
            seen.append(observer.abort())
            until(lambda r=run, t=turn: r.leases[t].state is LeaseState.CLEAN, 30.0)
        run.until_over()
    return seen


def told(name: str, seen: list[Seen]) -> str:
    gone = sorted(s.gone for s in seen if s.gone is not None)
    left = [s for s in seen if s.gone is None]
    times = "never gone" if not gone else (
        f"gone after p50 {statistics.median(gone):5.2f} s, max {gone[-1]:5.2f} s"
    )
    return f"| {name} | {len(seen)} | {times} | {len(left)} of {len(seen)} left in place |"


def test_a_fault_ends_sooner_after_a_breach_than_the_peers(tmp_path, capsys):
    suites = {f"abort-{n}": abort_suite(n) for n in range(SUITES)}
    with deployment(tmp_path, suites) as lab:
        observer = Observer(lab)
        ours = our_aborts(lab, observer)
        peers = {s: peers_aborts(lab, observer, s) for s in ("default", "always")}
    with capsys.disabled():
        print(f"\nbreach visible to fault gone, {os.cpu_count()} cores")
        print(told("holdfast, poll 0.5 s", ours))
        for strategy, seen in peers.items():
            print(told(f"chaostoolkit, safeguards every 0.5 s, rollbacks {strategy}", seen))
    slowest = max(s.gone if s.gone is not None else float("inf") for s in ours)
    quickest = statistics.median(
        s.gone if s.gone is not None else FAULT_SECONDS for s in peers["always"]
    )
    assert slowest < quickest
