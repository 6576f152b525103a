"""When faults may be on: allowed hours, freezes, holidays, and how long after an incident."""

import re
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from holdfast.model.quantities import Duration, Filled, Frozen, Name


def parse_time_of_day(text: object) -> object:
    """Read `09:00`; `24:00` is the end of a day, which is the beginning of the next."""
    if isinstance(text, time):
        return text
    shape = r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00"
    match = re.fullmatch(shape, text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a time of day is hours and minutes, such as 09:00 or 22:30")
    return time(int(match[1] or 0), int(match[2] or 0))


def parse_date(text: object) -> object:
    """Read `2026-12-24`."""
    if isinstance(text, date):
        return text
    try:
        if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a date is a year, a month and a day, such as 2026-12-24") from None


TimeOfDay = Annotated[
    time,
    BeforeValidator(parse_time_of_day, json_schema_input_type=str),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
]
Date = Annotated[
    date,
    BeforeValidator(parse_date, json_schema_input_type=str),
    PlainSerializer(date.isoformat, return_type=str),
]


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @classmethod
    def of(cls, day: date) -> "Day":
        """The weekday of a date."""
        return list(cls)[day.weekday()]


class Hours(Frozen):
    """Hours of some days; those that end no later than they begin go on into the next day."""

    days: tuple[Day, ...] = Field(tuple(Day), min_length=1)
    begin: TimeOfDay = Field(time(0), alias="from")
    end: TimeOfDay = Field(time(0), alias="to")

    def cover(self, day: date, at: time) -> bool:
        """Whether they cover what a clock on the wall shows."""
        today = Day.of(day) in self.days
        if self.begin < self.end:
            return today and self.begin <= at < self.end
        yesterday = Day.of(day - timedelta(days=1)) in self.days
        return (today and at >= self.begin) or (yesterday and at < self.end)

    def touch(self, day: date) -> bool:
        """Whether any of them are on this day."""
        into_it = self.end <= self.begin and self.end > time(0)
        yesterday = Day.of(day - timedelta(days=1)) in self.days
        return Day.of(day) in self.days or (into_it and yesterday)


class Freeze(Frozen):
    """Whole days without faults, the first and the last included."""

    begin: Date = Field(alias="from")
    end: Date = Field(alias="to")
    reason: Filled


class Freezes(Frozen):
    """Freezes of a whole deployment: what is in `freezes.yaml` beside the suites."""

    freezes: tuple["WideFreeze", ...] = ()


class WideFreeze(Freeze):
    """A freeze for every suite of some environments; none named means all."""

    environments: tuple[Name, ...] = ()


class PublicHolidays(Frozen):
    """The public holidays of a country or of a part of it, as the library `holidays` has them."""

    country: str = Field(description="ISO 3166-1 alpha-2, such as DE")
    subdivision: str | None = Field(None, description="ISO 3166-2 without the country, such as BE")


class AfterIncident(Frozen):
    """How long no fault may begin after the last incident."""

    prometheus: Filled = Field(description="PromQL, above 0 while there is an incident")
    gap: Duration = timedelta(hours=24)


class Windows(Frozen):
    """When faults may be on; without any of it, at any time."""

    time_zone: str | None = Field(None, description="by default the schedule's, else UTC")
    allowed: tuple[Hours, ...] = Field(
        (), max_length=20, description="any of these; none means all hours"
    )
    freezes: tuple[Freeze, ...] = Field((), max_length=100)
    holidays: PublicHolidays | None = Field(None, description="no faults on these days")
    after_incident: AfterIncident | None = None
