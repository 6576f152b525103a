"""See to it that a fault is gone."""

from collections.abc import Sequence
from typing import Any

from holdfast.ports.bundle import Ports
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class RevertFaultOperator(StepOperator):
    """Wait until the lease is clean, and make it clean if its keeper is gone.

    :param lease_id: what `arm` returned. (templated)
    """

    template_fields: Sequence[str] = ("lease_id",)

    def __init__(self, *, lease_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lease_id = lease_id

    def step(self, ports: Ports, run: RunOf) -> None:  # noqa: ARG002 - whatever run it is
        """Never skipped: whatever became of the run, the fault must go."""
        from holdfast.steps.revert import revert

        revert(ports, self.lease_id)
