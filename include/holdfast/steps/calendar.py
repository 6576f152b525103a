"""What a suite and its deployment say about hours and days."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.model.quantities import format_duration
from holdfast.model.suite import Suite
from holdfast.model.windows import Freeze
from holdfast.safety.windows import Calendar, closing, local, opening
from holdfast.spec.freezes import load_freezes


def calendar_of(suite: Suite, folder: Path) -> Calendar:
    """When faults of this suite may be on; `folder` is where the deployment's freezes are."""
    wide = [
        freeze for freeze in load_freezes(folder)
        if not freeze.environments or suite.target.environment in freeze.environments
    ]
    day_off = _day_off(suite, [*suite.windows.freezes, *wide])
    return Calendar(ZoneInfo(suite.time_zone), suite.windows.allowed, day_off)


def shut(calendar: Calendar, now: datetime, span: timedelta) -> str:
    """Say why nothing that takes so long may begin now; or nothing."""
    found = closing(calendar, now, span)
    if found is None:
        return ""
    soon = f"{format_duration(span)} are needed, and at {local(calendar, found.at)} it would be "
    return found.why if found.at <= now else soon + found.why


def told(calendar: Calendar, opens: datetime | None) -> str:
    """The next allowed time in words."""
    return f"next allowed time: {local(calendar, opens)}" if opens else "no allowed time in a year"


def outlook(calendar: Calendar, now: datetime, span: timedelta) -> str:
    """Say whether what takes so long may begin now, and when it may if not."""
    why = shut(calendar, now, span)
    return f"{why}; {told(calendar, opening(calendar, now, span))}" if why else "open now"


def _day_off(suite: Suite, freezes: Sequence[Freeze]) -> Callable[[date], str]:
    off = suite.windows.holidays
    known = None
    if off is not None:
        from holidays import country_holidays

        known = country_holidays(off.country, subdiv=off.subdivision)

    def why(day: date) -> str:
        for freeze in freezes:
            if freeze.begin <= day <= freeze.end:
                return f"frozen from {freeze.begin} to {freeze.end}: {freeze.reason}"
        name = known.get(day) if known is not None else None
        return f"{day} is a holiday: {name}" if name else ""

    return why
