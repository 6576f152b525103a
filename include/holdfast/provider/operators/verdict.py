"""Close the run."""

from typing import Any

from airflow.sdk import Context

from holdfast.ports.bundle import Ports
from holdfast.provider import border, wiring
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf, task_states


class VerdictOperator(StepOperator):
    """Revoke what is still open, give the environment back, fail unless every verdict is HELD.

    Airflow counts a run whose revert failed as a success when this task succeeds, and skips the
    report when a person marks the run failed. So a task that failed is a finding, and a report
    that was not written is written here.
    """

    def execute(self, context: Context) -> Any:
        """Note what Airflow knows and the stores do not, then close."""
        ports, run = wiring.ports(), RunOf.context(context)
        with border.airflow_words():
            try:
                if border.is_going_on(ports, run.id):
                    self._catch_up(ports, run, task_states(context))
            finally:
                self.step(ports, run)

    def step(self, ports: Ports, run: RunOf) -> None:
        """Believe the stores only."""
        from holdfast.steps.book import findings
        from holdfast.steps.verdict import close

        for finding in findings(ports, run.id):
            whose = finding.experiment or "the run"
            self.log.info("%s %s: %s: %s", finding.verdict.name, whose, finding.name, finding.text)
        ended = close(ports, run.id)
        self.log.info("%s: %s", ended.standing, ended.reason)

    @staticmethod
    def _catch_up(ports: Ports, run: RunOf, states: dict[str, str]) -> None:
        from holdfast.steps.report import report

        border.note_failed_tasks(ports, run.id, states)
        if states.get("report") != "success":
            report(ports, run.id)
