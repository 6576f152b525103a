"""Collect what was seen: how often, and the first of it in words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

_TOLD = 5
"""How many of one anomaly are told in words."""


@dataclass(frozen=True, slots=True)
class Sights:
    """Anomalies by name: how often each was seen, and sentences about the first of them."""

    counts: dict[str, int] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, seen: Iterable[int], tell: Callable[[int], str]) -> None:
        """Take note of an anomaly that was seen at these places, if at any."""
        places = np.unique(np.fromiter(seen, dtype=np.int64))
        if len(places):
            self.counts[name] = self.counts.get(name, 0) + len(places)
            told = self.told.setdefault(name, [])
            told += [tell(int(place)) for place in places[:_TOLD - len(told)]]
