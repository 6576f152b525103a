"""The objectives of a run as charts, with the windows of its faults."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.model.lease import Lease
from holdfast.model.suite import Suite
from holdfast.ports.bundle import Ports
from holdfast.reports._chart import columns, thinned
from holdfast.reports._content import Chart, Window
from holdfast.score.series import good, good_share
from holdfast.steps import indicate

_FACTORS = {"ms": 1000.0, "%": 100.0}


def samples(ports: Ports, run_id: str) -> Mapping[str, Any]:
    """Give the samples that sealing kept; none if it could not."""
    kept = next((a for a in ports.artefacts.of(run_id) if a.name == "samples.json"), None)
    if kept is None:
        return {}
    read: dict[str, Any] = json.loads(ports.artefacts.path(kept).read_bytes())
    return read


def charts(
    ports: Ports, suite: Suite, kept: Mapping[str, Any], leases: Sequence[Lease]
) -> list[Chart]:
    """Give one for each objective, no finer than can be drawn; `samples.json` has all."""
    windows = _windows(ports, leases)
    drawn = []
    for objective in suite.objectives if kept else ():
        bound = objective.objective
        factor = _FACTORS.get(bound.unit, 1.0)
        points = [(at, value * factor) for at, value in kept["series"].get(objective.name, [])]
        whole = Chart(
            objective.name, str(bound), bound.value * factor, bound.unit, kept["start"],
            kept["end"], kept["step"], points, windows, indicate.source(objective),
        )
        drawn.append(thinned(whole, columns()))
    return drawn


def availability(suite: Suite, kept: Mapping[str, Any]) -> float | None:
    """Give the mean share of good requests over the run; None when no objective says it."""
    found = good_share(suite.objectives)
    points = kept.get("series", {}).get(found[0].name, []) if found else []
    return good(found, [value for _, value in points])[0] if found and points else None


def _windows(ports: Ports, leases: Sequence[Lease]) -> list[Window]:
    """Fault windows as dates, by this host's two clocks."""
    now = ports.clock.now().timestamp()
    offset = now - ports.clock.boottime()
    return [
        Window(
            lease.experiment, lease.injected_at + offset,
            now if (end := lease.clean_at or lease.reverted_at) is None else end + offset,
        )
        for lease in leases if lease.injected_at is not None
    ]
