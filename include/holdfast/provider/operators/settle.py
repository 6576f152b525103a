"""Book what the run's faults cost."""

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class SettleOperator(StepOperator):
    """Spend what was used of the reservation, release the rest, judge the blast radius."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Write postings, entries and findings; what fails here `verdict` does again."""
        from holdfast.steps.settle import settle

        border.going_on(ports, run.id)
        settle(ports, run.id)
