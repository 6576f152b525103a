"""Look at the target before the first fault."""

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class BaselineOperator(StepOperator):
    """Watch the objectives for the suite's window; postpone when they do not hold."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Only read."""
        from holdfast.steps.baseline import baseline
        from holdfast.steps.postpone import come_back

        border.going_on(ports, run.id)
        with border.before_the_first_fault(ports, run.id):
            come_back(ports, run.id)
            baseline(ports, run.id)
