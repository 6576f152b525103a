"""Check the data after all rounds."""

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class ConsistencyOperator(StepOperator):
    """Compare the workload's own history with what is there in the end."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Write findings."""
        from holdfast.steps.check import check

        border.going_on(ports, run.id)
        check(ports, run.id)
