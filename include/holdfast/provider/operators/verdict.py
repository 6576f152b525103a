"""Close the run."""

from holdfast.ports.bundle import Ports
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class VerdictOperator(StepOperator):
    """Revoke what is still open, give the environment back, fail unless every verdict is HELD."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Believe the stores only."""
        from holdfast.steps.verdict import close

        close(ports, run.id)
