"""Watch the objectives for a while before the first fault, and remember what was normal."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from holdfast.errors import Postponed
from holdfast.model.run import EntryKind
from holdfast.model.suite import Objective
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Sample
from holdfast.steps.book import suite_of, write

EVERY_SECONDS = 1.0


def baseline(ports: Ports, run_id: str) -> None:
    """Sample every second; Postponed, with the numbers, if an objective broke or had no data.

    Half of the samples must be there, the last among them: one late answer is no reason to wait
    for another night.
    """
    suite = suite_of(ports, run_id)
    metrics, clock = ports.metrics(suite.target.prometheus), ports.clock
    taken: dict[str, list[Sample]] = {o.name: [] for o in suite.objectives}
    end = clock.boottime() + suite.baseline.window.total_seconds()
    while (began := clock.boottime()) < end:
        for objective in suite.objectives:
            taken[objective.name].append(metrics.now(objective.indicator.prometheus))
        clock.sleep(max(0.0, EVERY_SECONDS - (clock.boottime() - began)))
    for objective in suite.objectives:
        figures = summary([s.value for s in taken[objective.name] if s.value is not None])
        write(ports, run_id, EntryKind.BASELINE, objective.name,
              {**figures, "objective": str(objective.objective)})
    reasons = [r for o in suite.objectives if (r := _why_not(o, taken[o.name]))]
    if reasons:
        raise Postponed("the baseline does not hold: " + "; ".join(reasons))


def summary(values: Sequence[float]) -> Mapping[str, float | int | None]:
    """Count, mean, p50, p95 (nearest rank), min, max and last; None for each without a value."""
    if not values:
        return {"count": 0} | dict.fromkeys(("mean", "p50", "p95", "min", "max", "last"))
    ranked = sorted(values)
    return {
        "count": len(ranked), "mean": fmean(ranked),
        "p50": _rank(ranked, 50), "p95": _rank(ranked, 95),
        "min": ranked[0], "max": ranked[-1], "last": values[-1],
    }


def _rank(ranked: Sequence[float], percent: int) -> float:
    return ranked[max(0, -(-percent * len(ranked) // 100) - 1)]


def _why_not(objective: Objective, samples: Sequence[Sample]) -> str:
    bound = objective.objective
    values = [s.value for s in samples if s.value is not None]
    if 2 * len(values) < len(samples) or not samples or samples[-1].value is None:
        last = next((s.why for s in reversed(samples) if s.value is None), "no sample was taken")
        return f"{objective.name} had data in {len(values)} of {len(samples)} samples ({last})"
    broken = [v for v in values if not bound.holds(v)]
    if not broken:
        return ""
    worst = max(broken) if bound.op.startswith("<") else min(broken)
    return (f"{objective.name} was {bound.tell(worst)} at worst, objective {bound} "
            f"({len(broken)} of {len(values)} samples)")
