"""When faults may be on."""

from collections.abc import Iterator
from datetime import timedelta

from holdfast.model.suite import Suite
from holdfast.spec.freezes import backwards
from holdfast.spec.problems import Problem, nearest
from holdfast.spec.rules._base import Known, outside, rule


@rule
def freezes_end_after_they_begin(suite: Suite, _: Known) -> Iterator[Problem]:
    """A freeze has at least a day."""
    for number, freeze in enumerate(suite.windows.freezes):
        if freeze.end < freeze.begin:
            yield Problem(("windows", "freezes", number, "to"), backwards(freeze.begin))


@rule
def holidays_are_known(suite: Suite, _: Known) -> Iterator[Problem]:
    """The library knows the country, and the part of it."""
    off = suite.windows.holidays
    if off is None:
        return
    from holidays import list_supported_countries

    place, known = ("windows", "holidays"), list_supported_countries()
    if off.country not in known:
        yield Problem((*place, "country"), f"no holidays are known of '{off.country}'",
                      "two letters of ISO 3166-1, such as DE")
    elif off.subdivision is not None and off.subdivision not in known[off.country]:
        yield Problem(
            (*place, "subdivision"),
            f"no holidays are known of '{off.subdivision}' in {off.country}",
            nearest(off.subdivision, known[off.country]) or "leave it out",
        )


@rule
def gaps_are_sane(suite: Suite, _: Known) -> Iterator[Problem]:
    """Nobody waits for ever."""
    minute, day = timedelta(minutes=1), timedelta(days=1)
    if suite.windows.after_incident is not None:
        place = ("windows", "after_incident", "gap")
        yield from outside(place, suite.windows.after_incident.gap, minute, 7 * day)
    if suite.retry_for:
        yield from outside(("retry_for",), suite.retry_for, minute, day)

