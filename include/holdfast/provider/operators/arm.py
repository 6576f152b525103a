"""Take a lease on a fault."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class ArmFaultOperator(StepOperator):
    """Open a lease and start its keeper without touching the target.

    :param experiment: the experiment by name; skipped when the person left it out. (templated)
    """

    template_fields: Sequence[str] = ("experiment",)

    def __init__(self, *, experiment: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.experiment = experiment

    def step(self, ports: Ports, run: RunOf) -> str:
        """Return the lease id."""
        from holdfast.steps.arm import arm
        from holdfast.steps.book import suite_of

        border.going_on(ports, run.id)
        chosen = {e.name for r in suite_of(ports, run.id).rounds for e in r.experiments}
        if self.experiment not in chosen:
            raise AirflowSkipException(f"'{self.experiment}' was left out of this run")
        return arm(ports, run.id, self.experiment)
