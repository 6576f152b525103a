"""How an objective is measured, as a suite's author writes it."""

from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from pydantic import Field

from holdfast.model.quantities import Duration, Filled, Frozen, format_duration

WINDOW = "$window"
"""Stands in a query for a length of time."""
KINDS = {
    "prometheus": frozenset({"window"}), "http": frozenset({"path", "status", "measure", "field"}),
    "sql": frozenset({"query"}), "command": frozenset[str](),
}
"""The ways to measure, each with the words that belong to it."""


class Measure(StrEnum):
    """What is read from an HTTP answer."""

    SUCCESS = "success"  # 1 if it is as it should be, else 0
    LATENCY = "latency"  # seconds until it is there


class Indicator(Frozen):
    """How an objective is measured: by exactly one of prometheus, http, sql and command."""

    prometheus: str | None = Field(
        None, min_length=1, description="PromQL giving one series; $window in it stands for "
        "`window`, or for each of the windows of a burn rate"
    )
    window: Duration | None = None
    http: str | None = Field(None, description="connection id of an HTTP end point")
    path: str | None = Field(None, description="what is asked for there, by GET; / by default")
    status: int | None = Field(
        None, ge=100, le=599, strict=True, description="the right answer's status; 200 by default"
    )
    measure: Measure | None = None
    field: Filled | None = Field(
        None, description="where the number is in an answer of JSON, such as queue.depth"
    )
    sql: str | None = Field(None, description="connection id of a PostgreSQL")
    query: Filled | None = Field(None, description="one SELECT of one number")
    command: tuple[Filled, ...] | None = Field(
        None, min_length=1, description="name of a program that this deployment allows, and its "
        "arguments; it prints one number"
    )

    @property
    def kinds(self) -> list[str]:
        """The ways to measure that are named; a sound suite names one."""
        return [kind for kind in KINDS if getattr(self, kind) is not None]

    @property
    def right_status(self) -> int:
        """The status that an HTTP answer should have."""
        return self.status or 200

    def question(self) -> "Question":
        """What is asked for the indicator's value."""
        return self if self.prometheus is None else self.over(self.window)

    def over(self, window: timedelta | None) -> str:
        """PromQL for one length of time."""
        query = self.prometheus or ""
        return query if window is None else query.replace(WINDOW, format_duration(window))

    def __str__(self) -> str:
        question = self.question()
        if isinstance(question, str):
            return question
        if self.http is not None:
            what = f"'{self.field}' of" if self.field else self.measure or Measure.SUCCESS
            return f"{what} GET {self.path or '/'} at {self.http} ({self.right_status})"
        if self.sql is not None:
            return f"{self.query} on {self.sql}"
        return f"command {' '.join(self.command or ())}"


Question: TypeAlias = str | Indicator
"""What is asked of a source: PromQL, or an indicator that is asked for elsewhere."""
