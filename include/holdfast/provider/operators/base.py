"""What every operator of a run does around its step."""

from abc import abstractmethod
from typing import Any

from airflow.sdk import BaseOperator, Context

from holdfast.ports.bundle import Ports
from holdfast.provider import border, wiring
from holdfast.provider.runs import RunOf


class StepOperator(BaseOperator):
    """Call one step for the run this task belongs to; its errors come out in Airflow's words."""

    def execute(self, context: Context) -> Any:
        """Run the step; XCom carries an id or a digest, or nothing."""
        run = RunOf.context(context)
        with border.airflow_words():
            return self.step(wiring.ports(), run)

    @abstractmethod
    def step(self, ports: Ports, run: RunOf) -> str | None:
        """Do the work."""
