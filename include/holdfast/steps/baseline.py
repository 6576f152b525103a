"""Watch the objectives for a while before the first fault, and remember what was normal."""

from collections.abc import Mapping, Sequence
from math import isfinite

from holdfast.errors import CheckError, Postponed
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.model.suite import Objective, Suite
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Sample
from holdfast.safety.drift import drift
from holdfast.steps import indicate
from holdfast.steps.book import run_of, suite_of, write
from holdfast.steps.health import check_health
from holdfast.steps.snapshot import snapshot
from holdfast.steps.workloads import start_workloads

EVERY_SECONDS = 1.0
EARLIER_RUNS = 20
"""With how many earlier runs of the suite a baseline is compared, the latest first."""
_LOOKED_THROUGH = 200
_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95,
              "p99": 0.99}


def baseline(ports: Ports, run_id: str) -> None:
    """Begin the workloads, then sample every second.

    Postponed, with the numbers, if an objective broke or had no data, or if no workload can begin.

    Half of the samples must be there, the last among them: one late answer is no reason to wait
    for another night. The distribution of each objective is kept and compared with earlier runs;
    then the target's health is scored, and a run below the limit is Postponed too. Last, what the
    checks of the data need from before the first fault is read.
    """
    suite = suite_of(ports, run_id)
    start_workloads(ports, run_id)
    began = ports.clock.now().timestamp()
    taken = _watch(ports, suite, run_id)
    values = {o.name: _values(ports, suite, o, began, taken[o.name]) for o in suite.objectives}
    _remember(ports, run_id, suite, values)
    reasons = [r for o in suite.objectives if (r := _why_not(o, taken[o.name]))]
    if reasons:
        raise Postponed("the baseline does not hold: " + "; ".join(reasons))
    check_health(ports, run_id, suite, values)
    snapshot(ports, run_id)


def summary(values: Sequence[float]) -> Mapping[str, object]:
    """The distribution: count, mean, spread, ends and quantiles; None for each without a value."""
    import pandas as pd

    names = ("mean", "std", "p50", "p95", "min", "max", "last")
    if not values:
        empty = dict.fromkeys(_QUANTILES)
        return {"count": 0} | dict.fromkeys(names) | {"quantiles": empty}
    series = pd.Series(values, dtype="float64")
    ranked = series.quantile(list(_QUANTILES.values()))
    quantiles = {name: float(ranked[part]) for name, part in _QUANTILES.items()}
    return {
        "count": len(series), "mean": float(series.mean()), "std": float(series.std(ddof=0)),
        "p50": quantiles["p50"], "p95": quantiles["p95"], "min": float(series.min()),
        "max": float(series.max()), "last": float(series.iloc[-1]), "quantiles": quantiles,
    }


def _watch(ports: Ports, suite: Suite, run_id: str) -> dict[str, list[Sample]]:
    """Look at every objective once a second for the suite's window."""
    clock = ports.clock
    taken: dict[str, list[Sample]] = {o.name: [] for o in suite.objectives}
    end = clock.boottime() + suite.baseline.window.total_seconds()
    while (began := clock.boottime()) < end:
        for objective in suite.objectives:
            taken[objective.name].append(indicate.now(ports, suite, objective, run_id))
        summary(())  # its library takes a second to load: in the first pause, that costs nothing
        clock.sleep(max(0.0, EVERY_SECONDS - (clock.boottime() - began)))
    return taken


def _values(
    ports: Ports, suite: Suite, objective: Objective, began: float, taken: Sequence[Sample]
) -> list[float]:
    """Every second of the window from one query of its range; else what was seen live."""
    span = began, ports.clock.now().timestamp(), EVERY_SECONDS
    try:
        pairs = indicate.between(ports, suite, objective, span)
    except CheckError:
        pairs = []
    live = [s.value for s in taken if s.value is not None and isfinite(s.value)]
    return [value for _, value in pairs] if len(pairs) >= len(live) else live


def _remember(
    ports: Ports, run_id: str, suite: Suite, values: Mapping[str, Sequence[float]]
) -> None:
    earlier = _earlier(ports, run_of(ports, run_id))
    for objective in suite.objectives:
        figures, known = summary(values[objective.name]), earlier.get(objective.name, [])
        write(ports, run_id, EntryKind.BASELINE, objective.name, {
            **figures, "objective": str(objective.objective),
            "drift": drift(objective.objective, figures, known), "earlier_runs": len(known),
        })


def _earlier(ports: Ports, run: Run) -> dict[str, list[Mapping[str, object]]]:
    """Baselines of earlier runs of this suite, here, that were not postponed; by objective."""
    like = [
        other for other in ports.books.runs(_LOOKED_THROUGH)
        if (other.suite, other.environment) == (run.suite, run.environment)
        and other.id != run.id and other.state is RunState.ENDED
    ]
    found: dict[str, list[Mapping[str, object]]] = {}
    for other in like[:EARLIER_RUNS]:
        for entry in ports.books.read(other.id, EntryKind.BASELINE):
            if entry.data.get("count"):
                found.setdefault(entry.name, []).append(entry.data)
    return found


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
