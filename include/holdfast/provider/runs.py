"""Which run of Holdfast's a task of Airflow's belongs to, and who asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.sdk import Context

from holdfast.model.run import run_id


@dataclass(frozen=True, slots=True)
class RunOf:
    """A run as its tasks see it; `id` is `<suite>--<slug of Airflow's run id>`.

    `due` is when its schedule wanted it; None if somebody asked for it.
    """

    id: str
    suite: str
    triggered_by: str
    params: Mapping[str, Any]
    due: datetime | None = None

    @classmethod
    def context(cls, context: Context) -> "RunOf":
        """Read it from the task's context; a run that no person asked for is its schedule's."""
        dag_run = context["dag_run"]
        suite = dag_run.dag_id
        asker = getattr(dag_run, "triggering_user_name", None)
        kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
        return cls(
            id=run_id(suite, dag_run.run_id),
            suite=suite,
            triggered_by=asker or kind,
            params=dict(context["params"]),
            due=dag_run.run_after if kind == "scheduled" else None,
        )


def task_states(context: Context) -> dict[str, str]:
    """Every other task of this run that has a state, as Airflow has it, by task id."""
    dag_run, task = context["dag_run"], context["ti"]
    states = task.get_task_states(dag_id=dag_run.dag_id, run_ids=[dag_run.run_id])
    return {
        name: str(getattr(state, "value", state))
        for name, state in states.get(dag_run.run_id, {}).items()
        if state is not None and name != task.task_id
    }
