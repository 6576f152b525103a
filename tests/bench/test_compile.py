"""A thousand suites to DAGs, beside dag-factory with a thousand DAGs of the same shape.

Each side in a process of its own, Airflow imported before the clock starts, the two in turns. What
a task process has to parse before its task can begin is measured too: it asks for one DAG only.
By `make bench` only; HOLDFAST_BENCH_SUITES sets how many (1000).
"""

import json
import os
import subprocess
import sys

import pytest

from support.peers import peer

COUNT = int(os.environ.get("HOLDFAST_BENCH_SUITES", "1000"))
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
began = time.perf_counter()
dags = compiler.dags_from(folder)
spent = time.perf_counter() - began
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
began = time.perf_counter()
load_yaml_dags(globals_dict=found, dags_folder=sys.argv[1])
spent = time.perf_counter() - began
dags = [v for v in found.values() if isinstance(v, DAG)]
print("RESULT " + json.dumps([len(dags), spent, {}]))
"""

pytestmark = pytest.mark.timeout(1800)


def run(python, code, home, *words):
    """Number of DAGs, seconds, edges of one of them."""
    done = subprocess.run(
        [str(python), "-c", code, *map(str, words)], capture_output=True, text=True, check=False,
        env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"},
    )
    assert not done.returncode, done.stderr[-2000:]
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


def test_a_thousand_suites_beside_dag_factory(tmp_path, capsys):
    suites, theirs = tmp_path / "suites", tmp_path / "theirs"
    suites.mkdir()
    theirs.mkdir()
    for number in range(COUNT):
        text = SUITE.replace("NUMBER", f"{number:04}")
        (suites / f"suite-{number:04}.suite.yaml").write_text(text)
    count, all_ours, edges = run(sys.executable, OURS, tmp_path / "a", suites)
    assert COUNT == count
    tasks = [{"task_id": name, "dependencies": upstream,
              "operator": "airflow.providers.standard.operators.empty.EmptyOperator"}
             for name, upstream in edges.items()]
    groups = {name.rpartition(".")[0] for name in edges} - {""}
    for task in tasks:  # the same tasks and edges; groups are in their names
        task["task_id"] = task["task_id"].replace(".", "_")
        task["dependencies"] = [d.replace(".", "_") for d in task["dependencies"]]
    for number in range(COUNT):
        dag = {f"dag_{number}": {
            "default_args": {"owner": "platform-team", "start_date": "2026-01-01"},
            "description": "one of many", "schedule": "0 2 * * *", "catchup": False,
            "max_active_runs": 1, "tasks": tasks}}
        (theirs / f"dag_{number}.yml").write_text(json.dumps(dag))
    python = peer("dag-factory") / "python"
    count, all_theirs, _ = run(python, THEIRS, tmp_path / "b", theirs)
    assert COUNT == count
    turns = [(all_ours, all_theirs)] + [
        (run(sys.executable, OURS, tmp_path / "a", suites)[1],
         run(python, THEIRS, tmp_path / "b", theirs)[1])
        for _ in range(2)
    ]
    one = run(sys.executable, OURS, tmp_path / "a", suites, f"suite-{COUNT // 2:04}")[1]
    ours, others = (min(side) for side in zip(*turns, strict=True))
    with capsys.disabled():
        print(f"\n{COUNT} suites of {len(edges)} tasks in {len(groups)} groups, best of 3 turns")
        print(f"| holdfast | {ours:6.2f} s | {ours / others:5.2f} of dag-factory's |")
        print(f"| dag-factory 1.1.0 | {others:6.2f} s | |")
        print(f"| holdfast, in a task process (one DAG of {COUNT}) | {one * 1000:6.1f} ms | |")
    assert one < others / 20
