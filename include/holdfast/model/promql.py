"""What a PromQL query costs at least, by the lengths of time that are written in it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

LONGEST_RANGE = timedelta(days=3)
MOST_POINTS = 11_000
"""Of a subquery; Prometheus itself refuses a range query that asks for more."""
MOST_LETTERS = 4096
_STEP = 60.0
"""Seconds between the points of a subquery that does not say; Prometheus's default."""
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"?|\'(?:[^\'\\\n]|\\.)*\'?|`[^`]*`?|#[^\n]*')
"""Texts and comments; one that is not ended is taken whole, or each quote in it would begin it."""
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_LENGTHS = re.compile(r"(?:[0-9]{1,12}(?:ms|[smhdwy]))+")
_LENGTH = re.compile(r"([0-9]+)(ms|[smhdwy])")
_TO_BE_FILLED = "$window"


@dataclass(frozen=True, slots=True)
class Costly:
    """Why a query is refused, and what would do."""

    text: str
    hint: str


def costly(query: str) -> Costly | None:
    """Say what a query asks of Prometheus that is too much; None if nothing is.

    Points of subqueries within each other are multiplied. A length that cannot be read is refused:
    Prometheus may know more ways to write one. Whoever fills $window in asks again with it.
    """
    if len(query) > MOST_LETTERS:
        return Costly(f"the query has {len(query)} letters", f"at most {MOST_LETTERS}")
    points = 1.0
    for brackets, seconds, step in _ranges(_TEXT.sub("", query)):
        if seconds is None or step is None:
            return Costly(f"how long {brackets} is cannot be judged", "such as [5m] or [1h:30s]")
        if seconds > LONGEST_RANGE.total_seconds():
            return Costly(f"the query looks back over {brackets}",
                          f"at most {LONGEST_RANGE.days}d; a recording rule keeps longer sums")
        points *= max(1.0, seconds / step)
    if points > MOST_POINTS:
        return Costly(f"the query's subqueries have {points:.6g} points",
                      f"at most {MOST_POINTS}: a shorter range, or a longer step in [range:step]")
    return None


def _ranges(query: str) -> Iterator[tuple[str, float | None, float | None]]:
    """The brackets of a query, how long, and how far points are apart; None if it is not known."""
    for found in _BRACKETS.finditer(query):
        length, is_subquery, step = found[1].partition(":")
        apart = (_seconds(step) if step.strip() else _STEP) if is_subquery else math.inf
        yield found[0], _seconds(length), apart


def _seconds(written: str) -> float | None:
    """Read `1h30m`, or a bare number of seconds, which is not 0; None for what is neither."""
    length = written.strip()
    if length == _TO_BE_FILLED:
        return _STEP
    if _NUMBER.fullmatch(length):
        return float(length) or None
    if not _LENGTHS.fullmatch(length):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _LENGTH.findall(length)) or None
