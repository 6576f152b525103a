"""Check the data after all rounds."""

from typing import Any

from airflow.sdk import Context

from holdfast.ports.bundle import Ports
from holdfast.provider import border, wiring
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf, task_states


class ConsistencyOperator(StepOperator):
    """Compare the workload's own history with what is there in the end."""

    def execute(self, context: Context) -> Any:
        """Put tasks that failed before on record, so that they are sealed with the result."""
        ports, run = wiring.ports(), RunOf.context(context)
        with border.airflow_words():
            border.going_on(ports, run.id)
            border.note_failed_tasks(ports, run.id, task_states(context), last="recovery")
        return super().execute(context)

    def step(self, ports: Ports, run: RunOf) -> None:
        """Write findings."""
        from holdfast.steps.check import check

        check(ports, run.id)
