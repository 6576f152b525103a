"""What one look at a run shows: stores, Prometheus and services joined, ready to be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.model.lease import TOUCHED
from holdfast.model.run import RunState
from holdfast.model.suite import Objective
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Sample
from holdfast.reports._content import Chart
from holdfast.steps.content_charts import charts
from holdfast.steps.live import Live, Standing
from holdfast.steps.services import Seen
from holdfast.web.margins import Margin

WINDOW_SECONDS = 600.0
"""How much of a run that goes on is drawn; the report has all of it."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The latest value of an objective; `holds` is None without data, `why` says why."""

    value: str
    holds: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """All that the page of a run shows; `no_metrics` is why objectives cannot be asked for."""

    live: Live
    charts: Sequence[Chart] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    margins: Mapping[str, Margin] = field(default_factory=dict)
    services: Sequence[Seen] = ()
    no_metrics: str = ""

    @property
    def headline(self) -> str:
        """One sentence that changes only when something happens: it is read aloud."""
        run = self.live.run
        if run.state is RunState.POSTPONED:
            return f"Postponed, no fault was injected: {run.reason}"
        if self.live.is_over:
            return f"Ended: {run.reason}"
        if self.live.asked and not self.live.stopped:
            return f"Waits for an approval: {self.live.asked}"
        if self.live.waits:
            return f"Postponed for now, no fault is on: {self.live.waits}"
        names = [w.experiment for w in self.live.leases if w.state in TOUCHED]
        phase = next((p.name for p in self.live.phases if p.standing is Standing.NOW), "")
        told = f"Fault on: {', '.join(names)}." if names else f"No fault is on; now: {phase}."
        if self.live.stopped:
            return f"{told} No further fault may begin: {self.live.stopped}."
        return told


def started_at(live: Live) -> float:
    """When the run began, in unix seconds."""
    return datetime.fromisoformat(live.run.started_at).timestamp()


def drawn(ports: Ports, live: Live, series: Mapping[str, Points]) -> list[Chart]:
    """Chart each objective: a run that is over whole, else its last ten minutes until now."""
    if not series:
        return []
    start, step = started_at(live), 1.0
    if live.is_over:
        end = max((points[-1][0] for points in series.values() if points), default=start)
        step = max(step, (end - start) / WINDOW_SECONDS)  # as sealing samples it
    else:
        end = ports.clock.now().timestamp()
        start = max(start, end - WINDOW_SECONDS)
    kept: dict[str, Any] = {
        "start": start, "end": end, "step": step,
        "series": {name: [p for p in points if p[0] >= start] for name, points in series.items()},
    }
    return charts(ports, live.suite, kept, live.leases)


def reading(objective: Objective, sample: Sample) -> Reading:
    """Tell the latest value in the author's unit, and whether it is within the objective."""
    if sample.value is None:
        return Reading("no data", None, sample.why)
    bound = objective.objective
    return Reading(bound.tell(sample.value), bound.holds(sample.value))
