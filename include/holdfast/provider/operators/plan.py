"""Plan the run, from the suite file and the choices in the form."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.model.run import EntryKind
from holdfast.ports.bundle import Ports
from holdfast.provider import border
from holdfast.provider.operators.base import StepOperator
from holdfast.provider.params import choices
from holdfast.provider.runs import RunOf


class PlanOperator(StepOperator):
    """Resolve targets and recipes into a plan with a digest; open the run's book.

    :param suite_file: the suite, where this process sees it.
    :param experiments: every experiment of the suite, to check the choices against.
    """

    def __init__(self, *, suite_file: str, experiments: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suite_file = suite_file
        self.experiments = list(experiments)

    def step(self, ports: Ports, run: RunOf) -> str:
        """Return the plan's digest."""
        from holdfast.steps.approval import why_asked
        from holdfast.steps.book import plan_of
        from holdfast.steps.plan import PlanRequest, plan

        chosen = choices(run.params, self.experiments)
        everything = set(chosen.experiments) == set(self.experiments)
        border.fresh(ports, run.id)
        request = PlanRequest(
            run_id=run.id,
            suite_file=Path(self.suite_file),
            only=() if everything else tuple(chosen.experiments),
            dry_run=chosen.dry_run,
            triggered_by=run.triggered_by,
            due=run.due,
        )
        with (
            border.before_the_verdict_watches(ports, run.id, self.task_id),
            border.before_the_first_fault(ports, run.id),
        ):
            digest = plan(ports, request)
        for line in _told(plan_of(ports, run.id)):
            self.log.info("%s", line)
        for entry in ports.books.read(run.id, EntryKind.IMPACT):
            self.log.info("impact %s of 100 (%s)", entry.data["score"], entry.data["level"])
        if why := why_asked(ports, run.id):
            self.log.info("a person must approve it, as %s", why)
        return digest


def _told(plan: Mapping[str, Any]) -> Iterator[str]:
    """What would be done to what: a dry run shows it here."""
    for e in plan["experiments"]:
        targets = ", ".join(target["name"] for target in e["targets"])
        yield (
            f"round {e['round'] + 1}: {e['name']}: {e['fault']['type']} on {targets} for "
            f"{e['fault']['duration_ms'] / 1000:g} s, gone within {e['worst_case_ms'] / 1000:g} s"
        )
    for name, workload in plan.get("workloads", {}).items():
        yield f"workload {name}: {workload}"
    yield f"plan {plan['digest']}"
