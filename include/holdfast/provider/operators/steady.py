"""Let a round begin only from a steady state."""

from typing import Any

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class SteadyOperator(StepOperator):
    """Check that the objectives hold now; leave the round out after an abort that stops the suite.

    :param round_index: the round, from 0.
    """

    def __init__(self, *, round_index: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.round_index = round_index

    def step(self, ports: Ports, run: RunOf) -> None:
        """Only read."""
        from holdfast.steps.postpone import come_back
        from holdfast.steps.steady import steady

        border.going_on(ports, run.id)
        with border.before_the_first_fault(ports, run.id):
            come_back(ports, run.id, measure=True)
            steady(ports, run.id, self.round_index)
