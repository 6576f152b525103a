"""Where objectives are read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.model.indicator import Question


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of an indicator and the date (unix seconds) it is of.

    None means no data, `why` says why. `each` has the value of every series by its labels, also
    where there are several and so no one value: counters are counted by series.
    """

    value: float | None
    at: float
    why: str = ""
    each: Mapping[str, float] = field(default_factory=dict)


class Metrics(Protocol):
    """A Prometheus, asked from tasks."""

    def now(self, query: str, max_age: float | None = None) -> Sample:
        """The query's value now; no series, several, NaN or an error are no data.

        So are samples that are older than `max_age` seconds, where Prometheus can tell.
        """

    def between(
        self, query: str, start: float, end: float, step: float
    ) -> Sequence[tuple[float, float]]:
        """Pairs of unix seconds and value, numbers only. CheckError if it cannot be asked."""

    def each_between(
        self, query: str, start: float, end: float, step: float
    ) -> Sequence[Sequence[tuple[float, float]]]:
        """The same for every series that the query gives, each by itself."""


class LiveMetrics(Protocol):
    """What is measured now, asked from the triggerer's loop: much at once, never blocking."""

    async def now(self, questions: Sequence[Question]) -> Mapping[Question, Sample]:
        """The answer to each question now."""
