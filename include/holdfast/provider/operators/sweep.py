"""Clean up after keepers that died."""

from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from holdfast.model.lease import LeaseState
from holdfast.provider import border, wiring


class SweepOperator(BaseOperator):
    """Run the janitor over every open lease of this host; fail when something is not clean.

    Then put what waits into the log, and show it to its witnesses.
    """

    def execute(self, context: Context) -> Any:  # noqa: ARG002 - of no run
        """Say what is left."""
        from holdfast.steps.cosign import show_newest
        from holdfast.steps.janitor import sweep

        with border.airflow_words():
            ports = wiring.ports()
            swept = sweep(ports)
            left = ports.notary.drain()
        if left:
            self.log.warning("evidence: %d records wait for the log", left)
        if unseen := show_newest(ports):
            self.log.warning("evidence: %s", unseen)
        for line in swept:
            self.log.info("swept %s", line)
        dirty = [line for line in swept if not line.endswith(f": {LeaseState.CLEAN}")]
        if dirty:
            raise AirflowFailException("; ".join(dirty))
