"""Names, and when the suite runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from holdfast.model.suite import Suite
from holdfast.spec.problems import Place, Problem, nearest
from holdfast.spec.rules._base import Known, experiments, rule


@rule
def names_are_unique(suite: Suite, _: Known) -> Iterator[Problem]:
    """No two experiments and no two objectives have one name."""
    tried = [((*place, "name"), e.name) for place, e in experiments(suite)]
    objectives: list[tuple[Place, str]] = [
        (("objectives", index, "name"), o.name) for index, o in enumerate(suite.objectives)
    ]
    for what, named in (("experiment", tried), ("objective", objectives)):
        seen: set[str] = set()
        for place, name in named:
            if name in seen:
                yield Problem(place, f"{what} '{name}' is there twice", "give it a name of its own")
            seen.add(name)


@rule
def who_waits_for_witnesses_waits_for_the_log(suite: Suite, _: Known) -> Iterator[Problem]:
    """A record that waits on this host's disk has been seen by no witness."""
    if suite.compliance.cosigned and suite.compliance.may_wait:
        yield Problem(("compliance", "log_down"), "witnesses must have seen the run's start, and "
                      "what waits for the log they cannot see", "strict, or leave cosigned out")


_CRON_LETTERS = 100


@rule
def cron_is_valid(suite: Suite, _: Known) -> Iterator[Problem]:
    """The schedule can be read, and there is such a time."""
    from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped]

    cron = suite.schedule.cron if suite.schedule else "@daily"
    is_plain = cron.startswith("@") or len(cron.split()) == 5  # croniter knows seconds and years
    here = ("schedule", "cron")
    if len(cron) > _CRON_LETTERS or not (is_plain and croniter.is_valid(cron)):
        yield Problem(here, f"'{cron}' is not a cron expression",
                      "minute hour day month weekday, such as '0 2 * * *'")
        return
    try:
        croniter(cron, datetime(2026, 1, 1, tzinfo=UTC)).get_next()
    except CroniterBadDateError:
        yield Problem(here, f"'{cron}' never comes", "no month has such a day")


@rule
def time_zone_is_known(suite: Suite, _: Known) -> Iterator[Problem]:
    """Time zones are in the database of time zones, and the same on every machine."""
    named = {
        "schedule": suite.schedule.time_zone if suite.schedule else "UTC",
        "windows": suite.windows.time_zone,
        "budget": suite.budget.time_zone if suite.budget else "UTC",
    }
    for part, name in named.items():
        if name is not None and name != "UTC" and name not in _zones():
            near = nearest(name, _zones())
            hint = near if near.startswith("did you mean") else "such as Europe/Berlin or UTC"
            yield Problem((part, "time_zone"), f"unknown time zone '{name}'", hint)


@cache
def _zones() -> frozenset[str]:
    from zoneinfo import available_timezones

    return frozenset(available_timezones() - {"Factory", "localtime"})
