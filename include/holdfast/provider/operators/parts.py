"""Judge large histories in several tasks side by side."""

from typing import Any

from airflow.sdk import Context

from holdfast.ports.bundle import Ports
from holdfast.provider import border, wiring
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.operators.consistency import end_untouched
from holdfast.provider.runs import RunOf


class _PartOperator(StepOperator):
    def execute(self, context: Context) -> Any:
        """Do nothing for a run that does not go on."""
        border.going_on(wiring.ports(), RunOf.context(context).id)
        return super().execute(context)


class KeepOperator(_PartOperator):
    """Keep the histories that are judged in parts: each part reads the same file."""

    def step(self, ports: Ports, run: RunOf) -> None:
        """Stop the workloads, and copy what they have written."""
        from holdfast.steps.judge_whole import keep

        end_untouched(ports, run.id, self.log)
        keep(ports, run.id)


class CheckPartOperator(_PartOperator):
    """Judge one share of the keys of a consistency item; `called` is what people read."""

    def __init__(self, *, item: int, part: int, called: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item
        self.part = part
        self.called = called

    def step(self, ports: Ports, run: RunOf) -> None:
        """Write what was found as an artefact; `consistency` joins all."""
        from holdfast.steps.shares import check_share

        check_share(ports, run.id, self.item, self.part)
