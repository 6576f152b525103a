"""Check the data after all rounds."""

from typing import Any

from airflow.sdk import Context

from holdfast.errors import FaultError
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
        """Write findings; what never touched its target is ended before, or else by `seal`."""
        from holdfast.steps.check import check

        end_untouched(ports, run.id, self.log)
        check(ports, run.id)


def end_untouched(ports: Ports, run_id: str, log: Any) -> None:
    """End what never touched its target; if that fails, `seal` will do it."""
    from holdfast.steps.let_go import let_go_untouched

    try:
        let_go_untouched(ports, run_id)
    except FaultError as error:
        log.warning("%s; the checks go on", error)
