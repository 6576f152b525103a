"""Whether faults may be on at some time, and when they may be next. Pure.

What counts is a clock on the wall in the suite's time zone. Where it is put forward, hours that it
skips do not come; where it is put back, hours that it shows twice come twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import gcd
from zoneinfo import ZoneInfo

from holdfast.model.windows import Hours

HORIZON = timedelta(days=400)
"""How far ahead an allowed time is looked for: past the same days of the next year."""
_QUARTER = 15
"""Every zone's offset is a multiple of so many minutes, and its changes come at one."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Allowed hours (none means all) and days off: `day_off` says why a date is one, or nothing."""

    zone: ZoneInfo
    hours: Sequence[Hours]
    day_off: Callable[[date], str]

    def next(self, at: datetime) -> datetime:
        """The next moment at which it may open or close."""
        ends = (end for h in self.hours for end in (h.begin, h.end))
        grid = gcd(_QUARTER, *(60 * end.hour + end.minute for end in ends))
        whole = at.replace(minute=at.minute - at.minute % grid, second=0, microsecond=0)
        return whole + timedelta(minutes=grid)


@dataclass(frozen=True, slots=True)
class Closing:
    """The first moment at which no fault may be on, and why."""

    at: datetime
    why: str


def closing(calendar: Calendar, begin: datetime, span: timedelta) -> Closing | None:
    """Find the first moment from `begin` on, within the span, that is closed; or None."""
    at = begin.astimezone(UTC)
    end = at + span
    while True:
        if why := _why_closed(calendar, at):
            return Closing(at, why)
        at = calendar.next(at)
        if at >= end:
            return None


def opening(calendar: Calendar, after: datetime, span: timedelta) -> datetime | None:
    """Find the first whole minute from `after` on from which a whole span is open; or None."""
    at = after.astimezone(UTC)
    last = at + HORIZON
    if at.second or at.microsecond:
        at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while at < last:
        closed = closing(calendar, at, span)
        if closed is None:
            return at
        at = _later(calendar, closed.at)
    return None


def local(calendar: Calendar, at: datetime) -> str:
    """A moment as people there would say it."""
    return f"{at.astimezone(calendar.zone):%A %Y-%m-%d %H:%M %Z}"


def _why_closed(calendar: Calendar, at: datetime) -> str:
    shown = at.astimezone(calendar.zone)
    if why := calendar.day_off(shown.date()):
        return why
    if not calendar.hours or any(h.cover(shown.date(), shown.time()) for h in calendar.hours):
        return ""
    return "outside the allowed hours"


def _later(calendar: Calendar, closed: datetime) -> datetime:
    """The next moment that may be open: where hours begin, or a day."""
    zone, day = calendar.zone, closed.astimezone(calendar.zone).date()
    morning, midnight = (datetime.combine(d, time(0), zone) for d in (day, day + timedelta(days=1)))
    if calendar.day_off(day) or not any(h.touch(day) for h in calendar.hours):
        return max(midnight.astimezone(UTC), calendar.next(closed))
    if morning.utcoffset() != midnight.utcoffset():  # hours may come twice, or begin late
        return calendar.next(closed)
    begins = (datetime.combine(day, h.begin, zone).astimezone(UTC) for h in calendar.hours)
    return min((at for at in begins if at > closed), default=midnight.astimezone(UTC))
