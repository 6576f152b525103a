"""Score the service."""

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class ScoreOperator(StepOperator):
    """Work out the resilience score over the last week, this run included."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Only read books and objectives, write one entry."""
        from holdfast.steps.score import score

        border.going_on(ports, run.id)
        score(ports, run.id)
