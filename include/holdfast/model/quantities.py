"""Durations, bounds and names as a suite's author writes them."""

import math
import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_FACTORS = {"ms": 1000.0, "%": 100.0}
_LONGEST = timedelta(days=36_525)
"""A century: short enough for thousands of them to be added."""


def parse_duration(text: object) -> timedelta:
    """Read `500ms`, `8s`, `2m` or `1h`."""
    if isinstance(text, timedelta):
        return text
    match = re.fullmatch(rf"({_NUMBER})(ms|s|m|h)", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a duration is a number and ms, s, m or h, such as 500ms or 8s")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError("a duration is not that long")
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """Write a duration as an author would."""
    ms = round(value.total_seconds() * 1000)
    return f"{ms}ms" if ms % 1000 else f"{ms // 1000}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
]


def parse_ratio(text: object) -> object:
    """Read `10%` or `0.1`."""
    if isinstance(text, str) and (match := re.fullmatch(rf"({_NUMBER})%", text.strip())):
        return float(match[1]) / 100
    if isinstance(text, bool) or not isinstance(text, int | float):
        raise ValueError("a share is a percentage or a number from 0 to 1, such as 10% or 0.1")
    return text


def parse_amount(text: object) -> object:
    """Read `100` or `0.001`, exactly as it is written."""
    if isinstance(text, Decimal):
        return text
    written = str(text) if not isinstance(text, bool) else ""
    if not re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,6})?", written.strip()):
        raise ValueError("an amount is a number with up to six decimals, such as 100 or 0.001")
    return Decimal(written)


Ratio = Annotated[
    float, BeforeValidator(parse_ratio, json_schema_input_type=float | str), Field(ge=0, le=1)
]
Amount = Annotated[
    Decimal,
    BeforeValidator(parse_amount, json_schema_input_type=float | str),
    PlainSerializer(str, return_type=str),
]
NAME = r"^[a-z][a-z0-9-]{0,62}$"
Name = Annotated[str, Field(pattern=NAME)]
Filled = Annotated[str, Field(pattern=r"\S")]
StatePath = Annotated[str, Field(pattern=r"\S", max_length=1000)]
"""A path below the state folder."""


class Frozen(BaseModel):
    """Outside input: closed and unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bound(Frozen):
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

    @property
    def opposite(self) -> "Bound":
        """The bound that is true exactly where this one is not."""
        turned = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[self.op]
        return self.model_copy(update={"op": turned})

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
_STOP = r"(.{1,60}?)(?:\s+for\s+(\S+))?"
_BURN = rf">\s*({_NUMBER})x\s+over\s+(\S+)\s+and\s+(\S+)"
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


class StopCondition(Frozen):
    """The guard ends the fault when `bound` is true for `hold` (at once when zero)."""

    bound: Bound
    hold: Duration = timedelta(0)

    def __str__(self) -> str:
        return f"{self.bound} for {format_duration(self.hold)}" if self.hold else str(self.bound)


class BurnCondition(Frozen):
    """The guard ends the fault when the error budget burns faster than `factor` in both windows.

    At a rate of 1 the errors are exactly those that the objective allows.
    """

    factor: float
    long: Duration
    short: Duration

    @property
    def windows(self) -> tuple[timedelta, timedelta]:
        """The long window, which shows that it matters, and the short one: that it goes on."""
        return self.long, self.short

    def __str__(self) -> str:
        return f"> {self.factor:.12g}x over {brief(self.long)} and {brief(self.short)}"


def brief(value: timedelta) -> str:
    """Write a duration in the largest unit that needs no fraction."""
    seconds = value.total_seconds()
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and not seconds % size:
            return f"{seconds / size:.0f}{unit}"
    return format_duration(value)


Stop = StopCondition | BurnCondition


def parse_stop(text: object) -> Stop:
    """Read `> 60% for 6s` or `> 14.4x over 1h and 5m`."""
    if isinstance(text, StopCondition | BurnCondition):
        return text
    written = text.strip() if isinstance(text, str) else ""
    if burn := re.fullmatch(_BURN, written):
        long, short = parse_duration(burn[2]), parse_duration(burn[3])
        return BurnCondition(factor=float(burn[1]), long=long, short=short)
    if re.search(r"[0-9]x\b", written):
        raise ValueError("a burn rate is written '> 14.4x over 1h and 5m'")
    match = re.fullmatch(_STOP, written)
    bound, hold = (match[1], match[2]) if match else (text, None)
    read = Bound.model_validate(parse_bound(bound))
    return StopCondition(bound=read, hold=parse_duration(hold) if hold else timedelta(0))


def parse_stops(given: object) -> tuple[Stop, ...]:
    """Read one stop condition, or a list of them: each ends the fault."""
    several = given if isinstance(given, list | tuple) else [given]
    if not several:
        raise ValueError("a stop condition says when to stop, such as '> 60% for 6s'")
    return tuple(map(parse_stop, several))


def _written(stops: tuple[Stop, ...]) -> str | list[str]:
    told = [str(stop) for stop in stops]
    return told[0] if len(told) == 1 else told


Stops = Annotated[
    tuple[Stop, ...],
    BeforeValidator(parse_stops, json_schema_input_type=str | list[str]),
    PlainSerializer(_written, return_type=str | list[str]),
]
