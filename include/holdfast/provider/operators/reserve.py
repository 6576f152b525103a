"""Take the environment and put the run's start into the evidence."""

from airflow.sdk.exceptions import AirflowSkipException

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class ReserveOperator(StepOperator):
    """Lock the environment for this run; a dry run ends here, well."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Register before inject."""
        from holdfast.steps.book import is_dry
        from holdfast.steps.reserve import reserve

        if border.is_judged(ports, run.id):
            return  # cleared afterwards: a skip here would skip verdict, and the run end green
        border.going_on(ports, run.id)
        if is_dry(ports, run.id):
            border.end_dry_run(ports, run.id)
            raise AirflowSkipException("dry run: planned and checked, no fault")
        with (
            border.before_the_verdict_watches(ports, run.id, self.task_id),
            border.before_the_first_fault(ports, run.id),
        ):
            reserve(ports, run.id)
