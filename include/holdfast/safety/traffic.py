"""Counters that only rise, and what they rose by; a counter that began anew counts from zero.

Every series of a counter is counted by itself: in a sum, an instance that dies takes its count
with it, and that fall would read as a restart of them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Points = Sequence[tuple[float, float]]
_MOST = 2.0 ** 53
"""Beyond this a float counts no single request: nobody has sent so many."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counter rose by in a time, and for how many seconds of it nobody could see it."""

    rise: float
    unseen: float


def rise(before: float, after: float) -> float:
    """What was counted between two readings; after a restart at least what the new one shows.

    Never less than nothing: what falls below zero is no counter.
    """
    return min(_MOST, max(0.0, after - before if after >= before else after))


def rises(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The same for all series of a counter; one that was not there before began at zero."""
    return sum(rise(before.get(labels, 0.0), value) for labels, value in after.items())


def counted(every: Sequence[Points], start: float, end: float, step: float = 1.0) -> Counted:
    """What a counter's series rose by from `start` to `end`, from readings around that time.

    A series without a reading until the start began at zero, unless no series has one: then
    nobody looked. Readings are worth two steps: within that of the edge nothing counts as unseen.
    A gap between two readings is no loss, since the counter went on.
    """
    seen = [at for points in every for at, _ in points if at >= start - 2 * step]
    if not seen:
        return Counted(0.0, max(0.0, end - start))
    looked = any(at <= start for points in every for at, _ in points)
    total = sum(_rise_since(points, start, looked=looked) for points in every if points)
    edges = (max(0.0, min(seen) - start), max(0.0, end - max(seen)))
    return Counted(total, sum(edge for edge in edges if edge > 2 * step))


def _rise_since(points: Points, start: float, *, looked: bool) -> float:
    known = [value for at, value in points if at <= start]
    base = known[-1] if known else 0.0 if looked else points[0][1]
    values = [base, *(value for at, value in points if at > start)]
    return sum(rise(a, b) for a, b in pairwise(values))
