"""Look whether the run may start now."""

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class PreflightOperator(StepOperator):
    """Check targets, data, environment and key before anything is taken; postpone otherwise."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Touch nothing."""
        from holdfast.steps.preflight import preflight

        if border.is_judged(ports, run.id):
            return  # cleared afterwards: a skip here would skip verdict, and the run end green
        border.going_on(ports, run.id)
        with (
            border.before_the_verdict_watches(ports, run.id, self.task_id),
            border.before_the_first_fault(ports, run.id),
        ):
            preflight(ports, run.id)
