"""Keep Prometheus from answering with samples that are too old: by itself it looks back 5 minutes.

Two ways, as neither covers everything. `lookback_delta` shortens that look for every selector of
the query; versions before March 2023 do not know it. The date of a sample can be asked for in any
version, but only of a query that is nothing but one selector. A range such as `[1m]` looks back
as far as it says.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite, isnan
from typing import Any

from holdfast.ports.metrics import Sample

_SELECTOR = re.compile(r"""[a-zA-Z_:][a-zA-Z0-9_:]*\s*(\{([^"'`{}]|"[^"\\]*"|'[^'\\]*')*\})?""")
NO_SERIES = "no series instead of one"
_WORDS = frozenset({"nan", "inf", "infinity"})


def fresh(query: str, max_age: float | None) -> str:
    """The query, without samples that are older where its samples' dates can be asked for."""
    if max_age is None or not is_selector(query):
        return query
    return f"{query.strip()} and (timestamp({query.strip()}) >= time() - {max_age:g})"


def is_selector(query: str) -> bool:
    """Whether the query is one selector of series, and nothing else."""
    found = _SELECTOR.fullmatch(query.strip())
    return found is not None and query.strip().lower() not in _WORDS


def age_of(query: str) -> str:
    """How old the latest sample of a selector is, in seconds."""
    return f"time() - timestamp({query.strip()})"


def parameters(query: str, max_age: float | None) -> Mapping[str, str]:
    """What is sent to `/api/v1/query`."""
    lookback = {} if max_age is None else {"lookback_delta": f"{max_age:g}"}
    return {"query": fresh(query, max_age)} | lookback


def too_old(age: float, max_age: float | None) -> str:
    """Why a sample is no data."""
    return f"the latest sample is {age:.1f} s old, {max_age or 0.0:g} s allowed"


def sample_of(series: Sequence[Mapping[str, Any]], asked_at: float) -> Sample:
    """The one number of a vector, and what each of its series has; else why there is none."""
    found = {_labels(one): float(one["value"][1]) for one in series}
    each = {labels: value for labels, value in found.items() if isfinite(value)}
    if len(series) != 1:
        why = f"{len(series)} series instead of one" if series else NO_SERIES
        return Sample(None, asked_at, why, each)
    at, value = float(series[0]["value"][0]), float(series[0]["value"][1])
    if isnan(value):
        return Sample(None, at, "the value is not a number")
    return Sample(value, at, "", each)


def _labels(one: Mapping[str, Any]) -> str:
    """A series as text; without its name, which some functions drop."""
    labels = {k: v for k, v in one.get("metric", {}).items() if k != "__name__"}
    return json.dumps(labels, sort_keys=True)
