"""A breach to the end of its fault: Holdfast beside Chaos Toolkit, on one shop, in turns.

Both add the same toxic to the same path (2 s on the way to the database, 30 s long) and may stop on
the same queries, asked as often. Chaos Toolkit does so in three ways: by the safeguards of its
add-ons, with its default for rollbacks and with `always`, and by a hypothesis that is tested all
the time and fails fast. An observer that belongs to neither asks Prometheus and the proxy every
50 ms: a breach is visible from the first question whose answer breaks an objective, a fault is gone
when the proxy has no toxic any more. By `make bench` only; HOLDFAST_BENCH_RUNS aborts of each (20).
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
from holdfast.steps.book import fault_of
from support.lab import deployment, until
from support.peers import chaos, objectives_hold, safeguards

LOOK_SECONDS, BREACH_SECONDS = 0.05, 60.0
BEGIN_SECONDS = 300.0
"""How long a run of either may take to its fault; seconds on a quiet machine."""

pytestmark = pytest.mark.timeout(5400)


@dataclass(frozen=True)
class Way:
    """One way to let Chaos Toolkit stop by itself."""

    name: str
    words: tuple[str, ...]
    guarded: bool = True


WAYS = (
    Way("safeguards", ()),
    Way("safeguards, rollbacks always", ("--rollback-strategy", "always")),
    Way("continuous hypothesis, fail fast, rollbacks always",
        ("--rollback-strategy", "always", "--hypothesis-strategy", "continuously",
         "--hypothesis-frequency", "0.5", "--fail-fast"), guarded=False),
)


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
        self.suite = load_suite(lab.settings.experiments / "abort-0.suite.yaml").suite

    def holds(self) -> bool:
        samples = [(o, self.metrics.now(o.indicator.prometheus)) for o in self.suite.objectives]
        return all(s.value is not None and o.objective.holds(s.value) for o, s in samples)

    def is_slow(self) -> bool:
        return bool(self.toxics.proxy().toxics)

    def abort(self, has_left=lambda: False) -> Seen:
        """Wait for fault and breach, then for the end of the fault or of the tool."""
        until(lambda: self.is_slow() or has_left(), BEGIN_SECONDS, pause=LOOK_SECONDS)
        assert self.is_slow(), "the tool has ended without a fault"
        asked = self.breach()
        gone = left = None
        while gone is None and (left is None or time.monotonic() - left < 5.0):
            if not self.is_slow():
                gone = time.monotonic()
            elif left is None and has_left():
                left = time.monotonic()
            time.sleep(LOOK_SECONDS)
        return Seen(gone and gone - asked, left and left - asked)

    def breach(self) -> float:
        """When the first question was sent whose answer broke an objective."""
        begun = asked = time.monotonic()
        while self.holds():
            assert asked < begun + BREACH_SECONDS, "the fault breaks no objective"
            time.sleep(LOOK_SECONDS)
            asked = time.monotonic()
        return asked

    def heal(self) -> None:
        """Take away what was left, and wait for a steady shop."""
        for toxic in self.toxics.proxy().toxics:
            self.toxics.remove(toxic)
        until(self.holds, 60.0, pause=0.5)


def experiment(lab, observer: Observer, guarded: bool) -> dict[str, object]:
    """The same as shop-abort, in Chaos Toolkit's words; the toxic is the one our driver adds."""
    file = lab.settings.connections
    control, prometheus = (connection(file, n).url for n in ("shop_proxy", "prometheus_default"))
    suite = observer.suite
    fault = fault_of(lab.ports, suite, suite.rounds[0].experiments[0])
    (dose,) = lab.ports.drivers[fault.type].arm(fault, "peer").undo["toxics"]
    toxic = {"name": "far", "type": dose["kind"], "stream": dose["stream"],
             "toxicity": dose["share"], "attributes": dose["attributes"]}
    steady = objectives_hold(prometheus, suite.objectives)
    headers = {"Content-Type": "application/json"}
    path = f"{control}/proxies/{observer.toxics.name}/toxics"
    return {
        "title": "database far away", "description": "as shop-abort",
        "controls": [safeguards(steady, suite.guard.poll.total_seconds())] if guarded else [],
        "steady-state-hypothesis": {"title": "steady", "probes": [steady]},
        "method": [{
            "type": "action", "name": "far",
            "pauses": {"after": fault.duration.total_seconds()},
            "provider": {"type": "http", "url": path, "method": "POST", "headers": headers,
                         "arguments": toxic},
        }],
        "rollbacks": [{
            "type": "action", "name": "near",
            "provider": {"type": "http", "url": f"{path}/far", "method": "DELETE"},
        }],
    }


def peers_aborts(lab, observer: Observer, way: Way) -> list[Seen]:
    """So many runs of `chaos run` as ours has rounds."""
    file = lab.root / "experiment.json"
    file.write_text(json.dumps(experiment(lab, observer, way.guarded)))
    seen = []
    for _ in range(ROUNDS):
        file.with_suffix(".journal").unlink(missing_ok=True)
        with (lab.root / "chaos.log").open("w") as log:
            run = subprocess.Popen(chaos(way.words, file), cwd=lab.root, stdout=log, stderr=log)
        try:
            seen.append(observer.abort(lambda run=run: run.poll() is not None))
            run.wait(60)
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
        journal = json.loads(file.with_suffix(".journal").read_text())
        assert journal["deviated"] or journal["status"] == "interrupted", journal["status"]
        observer.heal()
    return seen


def our_aborts(lab, observer: Observer, number: int) -> list[Seen]:
    seen, run = [], lab.trigger(f"abort-{number}")
    for turn in range(ROUNDS):
        seen.append(observer.abort())
        until(lambda t=turn: run.leases[t].state is LeaseState.CLEAN, 30.0)
    run.until_over()
    observer.heal()
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
    ours: list[Seen] = []
    peers: dict[Way, list[Seen]] = {way: [] for way in WAYS}
    with deployment(tmp_path, suites) as lab:
        observer = Observer(lab)
        for number in range(SUITES):  # in turns
            ours += our_aborts(lab, observer, number)
            for way in WAYS:
                peers[way] += peers_aborts(lab, observer, way)
    with capsys.disabled():
        print(f"\nbreach visible to fault gone, every poll 0.5 s, {os.cpu_count()} cores, "
              f"load {os.getloadavg()[0]:.1f}")
        print(told("holdfast", ours))
        for way, seen in peers.items():
            print(told(f"chaostoolkit, {way.name}", seen))
    best = min(median_gone(seen) for seen in peers.values())
    assert median_gone(ours) < best


def median_gone(seen: list[Seen]) -> float:
    """A fault that was left in place is never gone."""
    return statistics.median(s.gone if s.gone is not None else float("inf") for s in seen)
