"""Write the report."""

from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class ReportOperator(StepOperator):
    """Render what the books say; may be cleared and run again after the run has ended."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Only read the books, write artefacts."""
        from holdfast.steps.report import report

        border.going_on(ports, run.id, ended=True)
        self.log.info("report: %s", report(ports, run.id))
