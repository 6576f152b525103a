"""What a PromQL query costs at least, by the lengths of time that are written in it."""

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
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`|#[^\n]*')
_BRACKETS = re.compile(r"\[([^\[\]:]*)(:([^\[\]]*))?\]")
_LENGTH = re.compile(r"[0-9]{1,12}(?:ms|[smhdwy])")


@dataclass(frozen=True, slots=True)
class Costly:
    """Why a query is refused, and what would do."""

    text: str
    hint: str


def costly(query: str) -> Costly | None:
    """Say what a query asks of Prometheus that is too much; None if nothing is.

    Points of subqueries within each other are multiplied. Lengths that are not written as numbers,
    such as $window, are bounded by those who fill them in.
    """
    if len(query) > MOST_LETTERS:
        return Costly(f"the query has {len(query)} letters", f"at most {MOST_LETTERS}")
    points = 1.0
    for brackets, seconds, step in _ranges(_TEXT.sub('""', query)):
        if seconds > LONGEST_RANGE.total_seconds():
            return Costly(f"the query looks back over {brackets}",
                          f"at most {LONGEST_RANGE.days}d; a recording rule keeps longer sums")
        if step is not None:
            points *= max(1.0, seconds / step)
    if points > MOST_POINTS:
        return Costly(f"the query's subqueries have {points:.6g} points",
                      f"at most {MOST_POINTS}: a shorter range, or a longer step in [range:step]")
    return None


def _ranges(query: str) -> Iterator[tuple[str, float, float | None]]:
    """The brackets of a query, how long, and for a subquery how far its points are apart."""
    for found in _BRACKETS.finditer(query):
        step = None if found[2] is None else _seconds(found[3]) or _STEP
        yield found[0], _seconds(found[1]), step


def _seconds(length: str) -> float:
    """Read `1h30m`, or a bare number of seconds; 0 for what is no length."""
    if number := re.fullmatch(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*", length):
        return float(number[1])
    parts = _LENGTH.findall(length)
    return sum(float(p.rstrip("mshdwy")) * _SECONDS[p.lstrip("0123456789")] for p in parts)
