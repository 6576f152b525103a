"""A home of its own for Airflow in tests, and a scheduler that only decides.

Call `own_home()` before anything imports airflow: it reads its configuration at import.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]

TWO_ROUNDS = """\
apiVersion: holdfast/v1
kind: Suite
metadata: {name: NAME, owner: platform-team, description: "Two rounds of nothing."}
target:
  environment: nowhere
  services: {api: {http: shop_http}, web: {http: shop_http}}
MORE
objectives:
  - {name: errors, indicator: {prometheus: "errors"}, objective: "< 1%"}
baseline: {window: 2s}
rounds:
  - experiments:
      - {name: left, hypothesis: "Left | holds.", fault: {type: noop, target: api, duration: 2s}}
      - {name: right, hypothesis: "Right holds.", fault: {type: noop, target: web, duration: 2s}}
  - experiments:
      - {name: last, hypothesis: "Last holds.", fault: {type: noop, target: api, duration: 2s}}
"""

WORKLOAD = """\
  workloads: [{name: ledger, kind: list_append, postgres: shop_db}]
consistency: [{checker: list_append, history: ledger}]"""


IN_PARTS = """\
  workloads: [{name: cells, kind: register, postgres: shop_db}]
consistency: [{checker: cas_register, history: cells, parts: 3}]"""


def suite_text(name: str, more: str = "") -> str:
    """A sound suite: `left` and `right` side by side, then `last`."""
    return TWO_ROUNDS.replace("NAME", name).replace("MORE\n", more and f"{more}\n")


@cache
def own_home() -> Path:
    """Point Airflow at an empty folder with our DAG files beside suites made for tests; once."""
    root = Path(tempfile.mkdtemp(prefix="holdfast-airflow-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    shutil.copytree(CHECKOUT / "dags", root / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "experiments").mkdir()
    suites = {
        "two-rounds": "", "patient": "retry_for: 2h", "asked-first": "approval: {by: [lead]}",
        "with-workload": WORKLOAD, "in-parts": IN_PARTS,
    }
    for name, more in suites.items():
        (root / "experiments" / f"{name}.suite.yaml").write_text(suite_text(name, more))
    os.environ.update({
        "AIRFLOW_HOME": str(root / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "AIRFLOW__API_AUTH__JWT_SECRET": "for-tests-only-" * 5,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{root}/airflow/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "HOLDFAST_HOME": str(root / "home"),
        "HOLDFAST_EXPERIMENTS": str(root / "experiments"),
    })
    return root


def migrate() -> None:
    """Make the metadata database; a few seconds."""
    from airflow.utils.db import initdb

    initdb()


def bag(folder: Path) -> Any:
    """All DAGs of a folder and its import errors."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(folder)


class DecidingScheduler:
    """Airflow's own rules over a run whose tasks end as they are told, without being run.

    `fates` maps a task id to the state it ends in; success when it is not named. A fate may be a
    callable: it gets the run and gives the state.
    """

    def __init__(self, dag: Any, fates: Mapping[str, str | Callable[[Any], str]]) -> None:
        from airflow.serialization.serialized_objects import DagSerialization

        self.dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        self.fates = fates
        self.decided: dict[str, int] = {}  # task id to the pass in which it was let run

    def run(self, run_id: str) -> tuple[str, dict[str, str]]:
        """Decide until nothing is left to decide; give the run's state and each task's."""
        from airflow.utils.session import create_session

        with create_session() as session:
            dag_run = self._begin(run_id, session)
            for number in range(100):
                ready, _ = dag_run.update_state(session=session)
                if dag_run.state in ("success", "failed"):
                    break
                for task in ready:
                    self.decided[task.task_id] = number
                    fate = self.fates.get(task.task_id, "success")
                    state = fate(dag_run) if callable(fate) else fate
                    session.refresh(task)
                    if task.state is None:
                        task.set_state(state, session=session)
                session.flush()
            states = {
                t.task_id: str(getattr(t.state, "value", t.state))
                for t in dag_run.get_task_instances(session=session)
            }
            return str(getattr(dag_run.state, "value", dag_run.state)), states

    def _begin(self, run_id: str, session: Any) -> Any:
        from airflow.sdk.timezone import utcnow
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        return self.dag.create_dagrun(
            run_id=run_id, run_after=utcnow(), run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST, state=DagRunState.RUNNING,
            start_date=utcnow(), session=session,
        )
