"""Counters that only rise, and what they rose by; a counter that began anew counts from zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counter rose by in a time, and for how many seconds of it nobody could see it."""

    rise: float
    unseen: float


def rise(before: float, after: float) -> float:
    """What was counted between two readings; after a restart at least what the new one shows."""
    return after - before if after >= before else after


def counted(points: Points, start: float, end: float, step: float = 1.0) -> Counted:
    """What a counter rose by from `start` to `end`, from readings around that time.

    Readings are worth two steps: within that of the edge nothing counts as unseen. A gap between
    two readings is no loss, since the counter went on.
    """
    if not points:
        return Counted(0.0, max(0.0, end - start))
    values = [value for _, value in points]
    total = sum(rise(a, b) for a, b in pairwise(values))
    edges = (max(0.0, points[0][0] - start), max(0.0, end - points[-1][0]))
    return Counted(total, sum(edge for edge in edges if edge > 2 * step))
