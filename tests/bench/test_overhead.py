"""What a suite costs beside its windows: Holdfast's own work without Airflow, and `chaos run`'s.

Both do nothing to nothing (a noop fault), ask one real Prometheus the same question, and take
turns. Own time is a run's wall time without the windows that have to pass: the baseline and the
fault here, the pause after the action there. Processor time is all of it, the keeper's included.

Chaos Toolkit runs twice: as it is, and with safeguards that ask as often as our guard does. By
`make bench` only; HOLDFAST_BENCH_RUNS sets how many runs of each are counted, after one that warms
up (20).
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from holdfast.clients.connections import write_connection
from holdfast.spec.load import load_text
from support.lab import CHECKOUT
from support.peers import chaos, objectives_hold, safeguards
from support.prometheus import prometheus
from support.waiting import wait_for

RUNS = int(os.environ.get("HOLDFAST_BENCH_RUNS", "20"))
POLL_SECONDS, BASELINE_SECONDS, FAULT_SECONDS = 0.5, 2.0, 2.0
LOOK_SECONDS = 0.02
SUITE = f"""\
apiVersion: holdfast/v1
kind: Suite
metadata: {{name: nothing, owner: platform-team, description: nothing to nothing}}
target: {{environment: nowhere, services: {{nothing: {{http: nothing}}}}}}
objectives:
  - {{name: errors, indicator: {{prometheus: errors}}, objective: "< 1%"}}
guard: {{poll: {POLL_SECONDS:g}s}}
baseline: {{window: {BASELINE_SECONDS:g}s}}
rounds:
  - experiments:
      - name: nothing-happens
        hypothesis: Nothing happens.
        fault: {{type: noop, target: nothing, duration: {FAULT_SECONDS:g}s}}
"""

pytestmark = pytest.mark.timeout(3600)


@dataclass(frozen=True)
class Cost:
    """Seconds of one run beside its windows; `tasks` as the program of the run tells them."""

    wall: float
    cpu: float
    tasks: dict


class Exporter(BaseHTTPRequestHandler):
    """A target whose errors are always few."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        with suppress(BrokenPipeError):  # a scrape that could not wait
            self.wfile.write(b"errors 0.001\n")

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def measured(folder):
    """A Prometheus that knows the errors; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Exporter) as exporter:
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        try:
            with prometheus(folder, exporter.server_address[1]) as (_, url):
                wait_for(lambda: b"0.001" in answer(url), 30.0)
                yield url
        finally:
            exporter.shutdown()


def answer(url):
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        with urlopen(f"{url}/api/v1/query?query=errors", timeout=5) as got:
            return got.read()
    except URLError:
        return b""


def ended(command, folder, journals=None):
    """Run a program: seconds by the clock, of the processor (children's too), keepers', output.

    A keeper is nobody's child: what it has used is looked at while it lives.
    """
    keepers = {}
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        began = time.perf_counter()
        run = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=out, stderr=err,
                               env=os.environ | {"PYTHONPATH": str(CHECKOUT / "tests")})
        try:
            while not (over := os.wait4(run.pid, os.WNOHANG))[0]:
                keepers |= used_by_keepers(journals) if journals else {}
                time.sleep(LOOK_SECONDS)
            took = time.perf_counter() - began
            run.returncode = os.waitstatus_to_exitcode(over[1])
        finally:
            if run.returncode is None:
                run.kill()
                run.wait()
    assert not run.returncode, (folder / "err").read_text()[-2000:]
    used = over[2].ru_utime + over[2].ru_stime
    return took, used, sum(keepers.values()), (folder / "out").read_text()


def used_by_keepers(journals):
    """Processor seconds of each keeper that is there now."""
    found = {}
    for file in journals.glob("*.pid"):
        for pid in [int(line.split()[0]) for line in file.read_text().splitlines() if line]:
            try:
                process = psutil.Process(pid)
                if "holdfast.keeper" in process.cmdline():
                    times = process.cpu_times()
                    found[pid, process.create_time()] = times.user + times.system
            except psutil.NoSuchProcess:
                continue
    return found


class Ours:
    """Runs of the suite in one home."""

    def __init__(self, folder, url, mode):
        self.folder, self.mode, self.count = folder, mode, 0
        folder.mkdir()
        self.home, self.file = folder / "home", folder / "nothing.suite.yaml"
        self.home.mkdir(mode=0o700)
        self.file.write_text(SUITE)
        host, _, port = url.removeprefix("http://").partition(":")
        write_connection(self.home / "connections.json", "prometheus_default",
                         {"conn_type": "http", "host": host, "port": int(port)})

    def run(self):
        """One run that held."""
        self.count += 1
        took, used, keepers, told = ended(
            [sys.executable, "-m", "bench.one_run", self.home, self.file, f"nothing--{self.count}",
             self.mode], self.folder, self.home / "journal")
        found = json.loads(told.splitlines()[-1])
        assert "HELD" == found["verdict"]
        tasks = found["tasks"]
        if self.mode == "apart":  # what they are forked from is Airflow's
            took = sum(wall for wall, _, _ in tasks.values())
            used = sum(cpu for _, cpu, _ in tasks.values())
        return Cost(took - BASELINE_SECONDS - found["fault"], used + keepers, tasks)


def experiment(url, guarded):
    """Nothing to nothing, in Chaos Toolkit's words."""
    look = objectives_hold(url, load_text(SUITE, "suite").suite.objectives)
    nothing = {"type": "python", "module": "platform", "func": "node"}
    return {
        "title": "nothing to nothing", "description": "as the suite",
        "controls": [safeguards(look, POLL_SECONDS)] if guarded else [],
        "steady-state-hypothesis": {"title": "steady", "probes": [look]},
        "method": [{"type": "action", "name": "nothing", "provider": nothing,
                    "pauses": {"after": FAULT_SECONDS}}],
        "rollbacks": [{"type": "action", "name": "nothing again", "provider": nothing}],
    }


class Theirs:
    """Runs of the experiment."""

    def __init__(self, folder, url, guarded):
        self.folder, self.file = folder, folder / "experiment.json"
        folder.mkdir()
        self.file.write_text(json.dumps(experiment(url, guarded)))

    def run(self):
        """One run that completed, its rollback done."""
        took, used, _, _ = ended(
            chaos(["--rollback-strategy", "always"], self.file), self.folder)
        journal = json.loads(self.file.with_suffix(".journal").read_text())
        assert ("completed", False) == (journal["status"], journal["deviated"])
        assert ["succeeded"] == [one["status"] for one in journal["rollbacks"]]
        return Cost(took - FAULT_SECONDS, used, {})


def middle(costs, of):
    """Half are below, and the most."""
    found = [of(cost) for cost in costs]
    return f"{statistics.median(found):6.2f} s | {max(found):6.2f} s"


def each_task(one, each):
    """Processor seconds of every task: all in one process, and each in its own."""
    for task in each[0].tasks:
        yield (f"|   {task:34} | {middle(one, lambda c, t=task: c.tasks[t][1])} | "
               f"{middle(each, lambda c, t=task: c.tasks[t][1])} |")
    made = middle(each, lambda c: sum(made for _, _, made in c.tasks.values()))
    yield f"|   {'of these, making the DAG':34} | {'':19} | {made} |"


def test_own_work_beside_chaos_run(tmp_path, capsys):
    with measured(tmp_path) as url:
        sides = {
            "holdfast, one process for all tasks": Ours(tmp_path / "a", url, "together"),
            "holdfast, a process for each task": Ours(tmp_path / "b", url, "apart"),
            "chaos run": Theirs(tmp_path / "c", url, guarded=False),
            "chaos run with safeguards": Theirs(tmp_path / "d", url, guarded=True),
        }
        turns = [{name: side.run() for name, side in sides.items()} for _ in range(RUNS + 1)][1:]
    costs = {name: [turn[name] for turn in turns] for name in sides}
    with capsys.disabled():
        print(f"\n{RUNS} runs of each in turns, {os.cpu_count()} cores, load "
              f"{os.getloadavg()[0]:.1f}; wall without windows, then processor: p50 and most")
        for name, found in costs.items():
            print(f"| {name:36} | {middle(found, lambda c: c.wall)} | "
                  f"{middle(found, lambda c: c.cpu)} |")
        print("processor time of each task: one process for all, a process for each")
        one, each, peers, _ = costs.values()
        print("\n".join(each_task(one, each)))
    assert median_cpu(one) < 20 * median_cpu(peers)


def median_cpu(costs):
    return statistics.median(cost.cpu for cost in costs)
