"""The suite as its author wrote it: closed, frozen, checked."""

import math
import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_FACTORS = {"ms": 1000.0, "%": 100.0}


def parse_duration(text: object) -> timedelta:
    """Read `500ms`, `8s`, `2m` or `1h`."""
    if isinstance(text, timedelta):
        return text
    match = re.fullmatch(rf"({_NUMBER})(ms|s|m|h)", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a duration is a number and ms, s, m or h, such as 500ms or 8s")
    try:
        return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    except OverflowError:
        raise ValueError("a duration is not that long") from None


def format_duration(value: timedelta) -> str:
    """Write a duration as an author would."""
    ms = round(value.total_seconds() * 1000)
    return f"{ms}ms" if ms % 1000 else f"{ms // 1000}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Filled = Annotated[str, Field(pattern=r"\S")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bound(_Model):
    """A comparison with a number: seconds for times, a ratio for percentages, else as written."""

    op: Literal["<", "<=", ">", ">="]
    value: float
    unit: Literal["", "ms", "s", "%"] = ""

    def holds(self, value: float) -> bool:
        """Say whether `value` (base unit) satisfies the comparison; NaN satisfies none."""
        return {
            "<": value < self.value,
            "<=": value <= self.value,
            ">": value > self.value,
            ">=": value >= self.value,
        }[self.op]

    def __str__(self) -> str:
        # Read back by parse_bound: no exponent, no lost digits.
        number = f"{self.value * _FACTORS.get(self.unit, 1.0):.12f}".rstrip("0").rstrip(".")
        return f"{self.op} {number}{self.unit}"

    def show(self, value: float) -> str:
        """Write a value of the base unit in the author's unit."""
        return f"{value * _FACTORS.get(self.unit, 1.0):.6g}{self.unit}"

    def tell(self, value: float, *others: "Bound") -> str:
        """Write a measured value for people: three digits, unless fewer would cross a bound."""
        for digits in (3, 4, 5):
            rounded = float(f"{value:.{digits}g}")
            if all(bound.holds(rounded) == bound.holds(value) for bound in (self, *others)):
                return self.show(rounded)
        return self.show(value)


_BOUND = rf"(<=|>=|<|>)\s*(-?{_NUMBER})\s*(ms|s|%)?"
_STOP = r"(.+?)(?:\s+for\s+(\S+))?"
_LIMITS = {"%": (0.0, 100.0), "ms": (0.0, math.inf), "s": (0.0, math.inf)}


def parse_bound(text: object) -> object:
    """Read `< 500ms`, `>= 99%`, `< 0.2`."""
    if isinstance(text, Bound):
        return text
    match = re.fullmatch(_BOUND, text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a bound is a comparison and a number, such as '< 500ms' or '>= 99%'")
    number, unit = float(match[2]), match[3] or ""
    low, high = _LIMITS.get(unit, (-math.inf, math.inf))
    if not low <= number <= high:
        raise ValueError("a time is not negative, a percentage between 0% and 100%")
    return {"op": match[1], "value": number / _FACTORS.get(unit, 1.0), "unit": unit}


BoundText = Annotated[
    Bound,
    BeforeValidator(parse_bound, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]


class StopCondition(_Model):
    """The guard ends the fault when `bound` is true for `hold` (at once when zero)."""

    bound: Bound
    hold: Duration = timedelta(0)

    def __str__(self) -> str:
        return f"{self.bound} for {format_duration(self.hold)}" if self.hold else str(self.bound)


def parse_stop(text: object) -> object:
    """Read `> 60% for 6s`."""
    if isinstance(text, StopCondition):
        return text
    match = re.fullmatch(_STOP, text.strip()) if isinstance(text, str) else None
    bound, hold = (match[1], match[2]) if match else (text, None)
    return {"bound": parse_bound(bound), "hold": hold or timedelta(0)}


StopText = Annotated[
    StopCondition,
    BeforeValidator(parse_stop, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]


class Metadata(_Model):
    """What the suite is called and whose it is."""

    name: Name
    owner: str = Field(min_length=1)
    description: str = ""


class Selector(_Model):
    """Where a service is: at least one kind of address."""

    process: Filled | None = Field(
        None, description="pid files, as a pattern below the state folder"
    )
    postgres: str | None = Field(None, description="connection id of a PostgreSQL cluster")
    proxy: str | None = Field(None, description="connection id of a TCP proxy with toxics")
    http: str | None = Field(None, description="connection id of an HTTP end point")


class History(_Model):
    """A workload's own log, and the query that reads back what is there in the end."""

    file: Filled = Field(description="JSONL with Jepsen's field names, below the state folder")
    postgres: str = Field(description="connection id the query runs on")
    query: Filled = Field(description="one SELECT of one column: every key that is there")
    operation: str | None = Field(
        None, description="operations that write keys; by default its name in the singular"
    )


class TargetSpec(_Model):
    """What the suite is run against. One run with faults at a time for each environment."""

    environment: Name
    services: dict[Name, Selector] = Field(min_length=1)
    histories: dict[Name, History] = Field(default_factory=dict)
    prometheus: str = Field(
        "prometheus_default", description="connection id of the guard's Prometheus"
    )


class Schedule(_Model):
    """When the suite runs by itself."""

    cron: str
    time_zone: str = "UTC"


class Indicator(_Model):
    """How an objective is measured."""

    prometheus: str = Field(min_length=1, description="PromQL giving one series")


class Objective(_Model):
    """A steady state: the indicator satisfies the bound."""

    name: Name
    indicator: Indicator
    objective: BoundText


class OnNoData(StrEnum):
    """What the guard does when it has seen nothing for the grace."""

    ABORT = "abort"
    HOLD = "hold"


class GuardSpec(_Model):
    """How the fault is watched."""

    poll: Duration = timedelta(milliseconds=500)
    lease: Duration = timedelta(seconds=5)
    on_no_data: OnNoData = OnNoData.ABORT
    grace: Duration = timedelta(seconds=3)


class Baseline(_Model):
    """How long the target is looked at before the first fault."""

    window: Duration = timedelta(seconds=10)


class FaultSpec(_Model):
    """What is broken, where, for how long; `delay` holds it back after the guard has begun."""

    type: str
    target: Name
    duration: Duration
    delay: Duration = timedelta(0)
    params: dict[str, Any] = Field(default_factory=dict)


class Expect(_Model):
    """What must be true after the fault, for the experiment to be HELD."""

    recovery_within: Duration | None = None
    recovery_point: int | None = Field(
        None, ge=0, strict=True, description="acknowledged writes that may be lost"
    )
    checks: tuple[str, ...] = ()


class Experiment(_Model):
    """One fault with the hypothesis it tests."""

    name: Name
    hypothesis: str = Field(min_length=1)
    fault: FaultSpec
    stop_on: dict[Name, StopText] = Field(default_factory=dict)
    expect: Expect = Expect()


class Round(_Model):
    """Experiments that run side by side."""

    experiments: tuple[Experiment, ...] = Field(min_length=1)


class AfterAbort(StrEnum):
    """What happens to the later rounds after an abort."""

    STOP = "stop"
    CONTINUE = "continue"


class Consistency(_Model):
    """A check of a history, after all rounds."""

    checker: str
    history: Name


class Compliance(_Model):
    """The controls that this suite supports evidence for."""

    controls: tuple[str, ...] = ()


class Suite(_Model):
    """A resilience suite."""

    api_version: Literal["holdfast/v1"] = Field(alias="apiVersion")
    kind: Literal["Suite"]
    metadata: Metadata
    target: TargetSpec
    objectives: tuple[Objective, ...] = Field(min_length=1)
    rounds: tuple[Round, ...] = Field(min_length=1)
    schedule: Schedule | None = None
    guard: GuardSpec = GuardSpec()
    baseline: Baseline = Baseline()
    after_abort: AfterAbort = AfterAbort.STOP
    consistency: tuple[Consistency, ...] = ()
    compliance: Compliance = Compliance()
