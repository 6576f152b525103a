"""A thousand suites to DAGs, beside dag-factory with a thousand DAGs of the same shape.

Between them stands what Airflow itself takes for such DAGs: the same tasks and edges as empty
operators, made by a loop that reads no file. Nothing that makes so many tasks can take less.

Each side in a process of its own, Airflow imported before the clock starts, in turns; processor
time, which other work on the machine disturbs least. What a task process has to parse before its
task can begin is measured too: it asks for one DAG only. By `make bench` only;
HOLDFAST_BENCH_SUITES sets how many (1000), HOLDFAST_BENCH_TURNS how often (3).
"""

import json
import os
import subprocess
import sys

import pytest

from support.peers import peer

COUNT = int(os.environ.get("HOLDFAST_BENCH_SUITES", "1000"))
TURNS = int(os.environ.get("HOLDFAST_BENCH_TURNS", "3"))
SUITE = """\
apiVersion: holdfast/v1
kind: Suite
metadata: {name: suite-NUMBER, owner: platform-team, description: one of many}
target: {environment: nowhere, services: {nothing: {http: nothing}}}
schedule: {cron: "0 2 * * *", time_zone: Europe/Berlin}
objectives:
  - {name: latency, indicator: {prometheus: latency}, objective: "< 500ms"}
  - {name: errors, indicator: {prometheus: errors}, objective: "< 1%"}
rounds:
  - experiments:
      - name: one
        hypothesis: Nothing happens.
        fault: {type: noop, target: nothing, duration: 5s}
        expect: {recovery_within: 10s}
  - experiments:
      - name: two
        hypothesis: Nothing happens again.
        fault: {type: noop, target: nothing, duration: 5s}
        expect: {recovery_within: 10s}
"""
OURS = """
import json, sys, time
from pathlib import Path
import airflow
from airflow.sdk import DAG, get_parsing_context
from holdfast.provider import compiler
folder = Path(sys.argv[1])
if len(sys.argv) > 2:
    from types import SimpleNamespace
    compiler.get_parsing_context = lambda: SimpleNamespace(dag_id=sys.argv[2])
began = time.process_time()
dags = compiler.dags_from(folder)
spent = time.process_time() - began
dag = next(iter(dags.values()))
edges = {t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks}
print("RESULT " + json.dumps([len(dags), spent, edges]))
"""
THEIRS = """
import json, logging, sys, time
import airflow
from airflow.sdk import DAG
from dagfactory import load_yaml_dags
logging.disable(logging.CRITICAL)
found = {}
began = time.process_time()
load_yaml_dags(globals_dict=found, dags_folder=sys.argv[1])
spent = time.process_time() - began
dags = [v for v in found.values() if isinstance(v, DAG)]
print("RESULT " + json.dumps([len(dags), spent, {}]))
"""
AIRFLOW = """
import json, sys, time
from datetime import datetime
from pathlib import Path
import airflow
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
tasks, count = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
began, dags = time.process_time(), []
for number in range(count):
    with DAG(f"dag_{number}", schedule="0 2 * * *", start_date=datetime(2026, 1, 1), catchup=False,
             max_active_runs=1, default_args={"owner": "platform-team"}) as dag:
        made = {task["task_id"]: EmptyOperator(task_id=task["task_id"]) for task in tasks}
        for task in tasks:
            made[task["task_id"]].set_upstream([made[name] for name in task["dependencies"]])
    dags.append(dag)
spent = time.process_time() - began
print("RESULT " + json.dumps([len(dags), spent, {}]))
"""

pytestmark = pytest.mark.timeout(3600)


def run(python, code, home, *words):
    """Number of DAGs, seconds, edges of one of them."""
    done = subprocess.run(
        [str(python), "-c", code, *map(str, words)], capture_output=True, text=True, check=False,
        env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"},
    )
    assert not done.returncode, done.stderr[-2000:]
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


def seconds(python, code, home, *words):
    """Processor seconds of it, after a look that all are there."""
    count, spent, _ = run(python, code, home, *words)
    assert COUNT == count
    return spent


def write_suites(folder):
    folder.mkdir()
    for number in range(COUNT):
        text = SUITE.replace("NUMBER", f"{number:04}")
        (folder / f"suite-{number:04}.suite.yaml").write_text(text)


def same_shape(edges):
    """The tasks and edges of one of our DAGs for dag-factory; the groups stay in the names."""
    def plain(name):
        return name.replace(".", "_")

    return [{"task_id": plain(name), "dependencies": [plain(other) for other in upstream],
             "operator": "airflow.providers.standard.operators.empty.EmptyOperator"}
            for name, upstream in edges.items()]


def write_dags(folder, tasks):
    folder.mkdir()
    for number in range(COUNT):
        dag = {f"dag_{number}": {
            "default_args": {"owner": "platform-team", "start_date": "2026-01-01"},
            "description": "one of many", "schedule": "0 2 * * *", "catchup": False,
            "max_active_runs": 1, "tasks": tasks}}
        (folder / f"dag_{number}.yml").write_text(json.dumps(dag))


def test_a_thousand_suites_beside_dag_factory(tmp_path, capsys):
    suites, theirs, shape = tmp_path / "suites", tmp_path / "theirs", tmp_path / "shape.json"
    write_suites(suites)
    wanted, home = f"suite-{COUNT // 2:04}", tmp_path / "home"
    _, one, edges = run(sys.executable, OURS, home, suites, wanted)
    tasks = same_shape(edges)
    shape.write_text(json.dumps(tasks))
    write_dags(theirs, tasks)
    python = peer("dag-factory") / "python"
    turns = [
        (seconds(sys.executable, OURS, home, suites), seconds(python, THEIRS, home, theirs),
         seconds(sys.executable, AIRFLOW, home, shape, COUNT))
        for _ in range(TURNS)
    ]
    ours, others, bare = (min(side) for side in zip(*turns, strict=True))
    with capsys.disabled():
        print(f"\n{COUNT} DAGs of {len(edges)} tasks, processor time, best of {TURNS} turns, "
              f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(f"| holdfast, suites to DAGs         | {ours:6.2f} s | "
              f"{ours / others:4.2f} of dag-factory's |")
        print(f"| dag-factory 1.1.0                | {others:6.2f} s | 1 |")
        print(f"| Airflow alone, empty operators   | {bare:6.2f} s | "
              f"{bare / others:4.2f} of dag-factory's |")
        print(f"| holdfast, one DAG of {COUNT:4} (a task) | {one * 1000:6.1f} ms | |")
    assert one < others / 20
    assert ours < others
