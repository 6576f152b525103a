"""What a service's objectives showed over a window: availability, and failures between runs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean

from holdfast.model.quantities import Bound
from holdfast.model.score import Seen
from holdfast.model.suite import Objective

Points = Sequence[tuple[float, float]]
"""Pairs of unix seconds and value, in order."""
Span = tuple[float, float]
_APART_SECONDS = 300.0
"""Failures closer together than this are one: a service that flaps has failed once."""


def good_share(objectives: Iterable[Objective]) -> tuple[Objective, bool] | None:
    """Find the objective that says how many requests are good, and whether it counts bad ones.

    That is the first percentage with a lower bound; without one, the first percentage with an
    upper bound whose name speaks of errors or failures. No guess is made beyond that.
    """
    shares = [o for o in objectives if o.objective.unit == "%"]
    for objective in shares:
        if objective.objective.op in (">", ">="):
            return objective, False
    for objective in shares:
        if any(word in objective.name for word in ("error", "fail")):
            return objective, True
    return None


def seen(
    objectives: Sequence[Objective], series: Mapping[str, Points], step: float,
    busy: Sequence[Span],
) -> Seen:
    """Sum up the series, one point each `step` seconds; `busy` is when runs went on.

    Availability is the mean over all the time there was data, faults included: users felt those
    too. Time without data is neither good nor bad and is not counted.
    """
    bounds = {o.name: o.objective for o in objectives}
    quiet = {
        name: [p for p in points if not _within(p[0], busy)]
        for name, points in series.items() if name in bounds
    }
    longest = max((len(points) for points in quiet.values()), default=0)
    found = good_share(objectives)
    values = [] if found is None else [value for _, value in series.get(found[0].name, ())]
    available, promised = (None, None) if found is None or not values else good(found, values)
    return Seen(
        available, promised, len(values) * step / 3600, longest * step / 3600,
        failures(quiet, bounds),
    )


def good(found: tuple[Objective, bool], values: Sequence[float]) -> tuple[float, float]:
    """Give the mean share of good requests and the share that is promised, each 0 to 1."""
    objective, counts_bad = found
    mean, bound = fmean(min(1.0, max(0.0, v)) for v in values), objective.objective.value
    return (1.0 - mean, 1.0 - bound) if counts_bad else (mean, bound)


def failures(series: Mapping[str, Points], bounds: Mapping[str, Bound]) -> list[str]:
    """Say when an objective did not hold, and how bad it was when that began."""
    broken = sorted(
        (at, name, value) for name, points in series.items() for at, value in points
        if not bounds[name].holds(value)
    )
    told, last = [], None
    for at, name, value in broken:
        if last is None or at - last > _APART_SECONDS:
            told.append(f"{_date(at)}: {name} {bounds[name].tell(value)}")
        last = at
    return told


def _within(at: float, spans: Sequence[Span]) -> bool:
    return any(start <= at <= end for start, end in spans)


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
