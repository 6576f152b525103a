"""Measure how the target came back."""

from collections.abc import Sequence
from typing import Any

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class RecoveryOperator(StepOperator):
    """Wait for the steady state after a fault; judge detection, recovery and the expected checks.

    :param experiment: the experiment by name. (templated)
    :param lease_id: what `arm` returned. (templated)
    """

    template_fields: Sequence[str] = ("experiment", "lease_id")

    def __init__(self, *, experiment: str, lease_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.experiment, self.lease_id = experiment, lease_id

    def step(self, ports: Ports, run: RunOf) -> None:
        """Write findings."""
        from holdfast.steps.recover import recover

        border.going_on(ports, run.id)
        recover(ports, run.id, self.experiment, self.lease_id)
