"""Whether what was normal in a run's baseline is what was normal before. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median

from holdfast.model.quantities import Bound
from holdfast.safety.health import size

LEAST_RUNS = 3
LIMIT = 3.5
"""Modified z-scores beyond this are outliers."""
_TO_SIGMA = 0.6745
_FIGURES = (("p50", "median"), ("p95", "95th percentile"))


def drift(bound: Bound, now: Mapping[str, object], earlier: Sequence[Mapping[str, object]]) -> str:
    """Name the figures of a baseline that earlier runs of the suite do not explain; or nothing.

    Median and 95th percentile are each compared with those of at least three earlier runs by the
    modified z-score, 0.6745 (x - median) / MAD beyond 3.5 (Iglewicz and Hoaglin, "How to Detect and
    Handle Outliers", 1993; NIST/SEMATECH e-Handbook, 1.3.5.17). Runs are compared and not samples,
    since samples a second apart of a rate over seconds are not independent of each other, as tests
    such as Kolmogorov-Smirnov's want them. The spread counts as no less than 5 % of the median and
    2 % of the bound, so that differences nobody would feel are none.
    """
    told = [_told(bound, key, name, now, earlier) for key, name in _FIGURES]
    return "; ".join(text for text in told if text)


def _told(bound: Bound, key: str, name: str, now: Mapping[str, object],
          earlier: Sequence[Mapping[str, object]]) -> str:
    value = _number(now.get(key))
    known = [v for run in earlier if (v := _number(run.get(key))) is not None]
    if value is None or len(known) < LEAST_RUNS:
        return ""
    bad, before = _badness(bound, value), [_badness(bound, v) for v in known]
    middle = median(before)
    spread = median(abs(v - middle) for v in before)
    least = max(spread, 0.05 * abs(middle), 0.02 * size(bound))
    score = _TO_SIGMA * (bad - middle) / least if least else 0.0
    if abs(score) <= LIMIT:
        return ""
    usual = bound.tell(median(known))
    return (f"its {name} was {bound.tell(value)}, in {len(known)} earlier runs {usual}: "
            f"{'worse' if score > 0 else 'better'} than they explain (z {abs(score):.1f})")


def _badness(bound: Bound, value: float) -> float:
    """The value so that more is worse, and near nothing where all is well."""
    if bound.op.startswith("<"):
        return value
    return 1.0 - value if bound.unit == "%" else -value


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
