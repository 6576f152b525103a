"""Where objectives are read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of an indicator and the date (unix seconds) it is of.

    None means no data, `why` says why.
    """

    value: float | None
    at: float
    why: str = ""


class Metrics(Protocol):
    """A Prometheus, asked from tasks."""

    def now(self, query: str) -> Sample:
        """The indicator's value now; no series, several, NaN or an error are no data."""

    def between(
        self, query: str, start: float, end: float, step: float
    ) -> Sequence[tuple[float, float]]:
        """Pairs of unix seconds and value, numbers only. CheckError if it cannot be asked."""

    def each_between(
        self, query: str, start: float, end: float, step: float
    ) -> Sequence[Sequence[tuple[float, float]]]:
        """The same for every series that the query gives, each by itself."""


class LiveMetrics(Protocol):
    """A Prometheus, asked from the triggerer's loop: many queries at once, never blocking."""

    async def now(self, queries: Sequence[str]) -> Mapping[str, Sample]:
        """The value of each query now."""
