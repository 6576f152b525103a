"""Put the result into the evidence log and tell Airflow about it as an asset."""

from typing import Any

from airflow.sdk import Context

from holdfast.ports.bundle import Ports
from holdfast.provider import border, wiring
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.runs import RunOf


class SealOperator(StepOperator):
    """Sign the result; the suite's asset gets the plan's digest and the verdict so far."""

    def execute(self, context: Context) -> Any:
        """Seal, then fill in the asset's event."""
        index = super().execute(context)
        with border.airflow_words():
            extra = _extra(wiring.ports(), RunOf.context(context))
        for asset in self.outlets:
            context["outlet_events"][asset].extra = extra | {"record": index}
        return index

    def step(self, ports: Ports, run: RunOf) -> str:
        """Return the record's index in the log; what never touched its target is ended before."""
        from holdfast.steps.let_go import let_go_untouched
        from holdfast.steps.seal import seal

        border.going_on(ports, run.id)
        let_go_untouched(ports, run.id)
        return str(seal(ports, run.id))


def _extra(ports: Ports, run: RunOf) -> dict[str, str]:
    from holdfast.steps.book import run_of
    from holdfast.steps.judge import judge

    return {
        "run": run.id,
        "digest": run_of(ports, run.id).plan_digest,
        "verdict": judge(ports, run.id).name,
    }
