"""When faults may be on, also where the clocks are put forward and back (S7)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.windows import Day, Hours
from holdfast.safety.windows import Calendar, closing, local, opening

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def calendar(*hours: tuple[str, str, str], off: tuple[str, ...] = (), zone=BERLIN) -> Calendar:
    allowed = [Hours.model_validate({"days": d.split(), "from": a, "to": b}) for d, a, b in hours]
    return Calendar(zone, allowed, lambda day: "a holiday" if day.isoformat() in off else "")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WORK = ("mon tue wed thu fri", "09:00", "16:00")
NIGHT = ("sat sun", "02:30", "04:00")


def test_without_hours_and_days_off_it_is_never_closed():
    assert None is closing(calendar(), utc("2026-01-01 00:00"), timedelta(days=1))


@pytest.mark.parametrize(("at", "why"), [
    ("2026-01-05 07:59", "outside the allowed hours"), ("2026-01-05 08:00", ""),
    ("2026-01-05 14:59", ""), ("2026-01-05 15:00", "outside the allowed hours"),
    ("2026-01-03 10:00", "outside the allowed hours"), ("2026-01-06 10:00", "a holiday"),
])
def test_hours_are_of_the_wall_clock_there(at, why):
    found = closing(calendar(WORK, off=("2026-01-06",)), utc(at), MINUTE)
    assert why == (found.why if found else "")


def test_a_window_that_closes_too_soon_says_when():
    found = closing(calendar(WORK), utc("2026-01-05 14:58:30"), timedelta(minutes=3))
    assert utc("2026-01-05 15:00") == found.at
    assert None is closing(calendar(WORK), utc("2026-01-05 14:57:00"), timedelta(minutes=3))


@pytest.mark.parametrize(("after", "span", "opens"), [
    pytest.param("2026-01-05 10:00", 1, "2026-01-05 10:00", id="it-is-open"),
    pytest.param("2026-01-05 10:00:01", 1, "2026-01-05 10:01", id="at-a-whole-minute"),
    pytest.param("2026-01-02 15:30", 1, "2026-01-05 08:00", id="after-the-weekend"),
    pytest.param("2026-01-05 14:58", 3, "2026-01-07 08:00", id="too-late-today-and-tuesday-is-off"),
])
def test_the_next_allowed_time_is_found(after, span, opens):
    found = opening(calendar(WORK, off=("2026-01-06",)), utc(after), span * MINUTE)
    assert utc(opens) == found


@pytest.mark.parametrize(("hours", "after", "opens"), [
    # Sunday 2026-03-29: 02:00 CET becomes 03:00 CEST
    pytest.param(WORK, "2026-03-27 15:00", "2026-03-30 07:00", id="the-hours-move-with-the-clock"),
    pytest.param(NIGHT, "2026-03-28 03:30", "2026-03-29 01:00", id="02:30-is-skipped-so-at-03:00"),
    # Sunday 2026-10-25: 03:00 CEST becomes 02:00 CET
    pytest.param(WORK, "2026-10-23 14:00", "2026-10-26 08:00", id="and-move-back-with-it"),
    pytest.param(NIGHT, "2026-10-24 23:00", "2026-10-25 00:30", id="02:30-first-time"),
    pytest.param(NIGHT, "2026-10-25 01:00", "2026-10-25 01:30", id="02:30-second-time"),
])
def test_the_clock_is_put_forward_and_back(hours, after, opens):
    assert utc(opens) == opening(calendar(hours), utc(after), MINUTE)


def test_where_an_hour_comes_twice_the_window_closes_between():
    found = closing(calendar(NIGHT), utc("2026-10-25 00:45"), timedelta(hours=1))
    assert utc("2026-10-25 01:00") == found.at  # 02:59 CEST, then 02:00 CET


def test_a_day_that_has_no_midnight_is_entered_all_the_same():
    """In Santiago 2026-09-06 begins at 01:00."""
    one = calendar(("sun", "00:00", "24:00"), zone=ZoneInfo("America/Santiago"))
    assert utc("2026-09-06 04:00") == opening(one, utc("2026-09-02 12:00"), MINUTE)


@pytest.mark.parametrize("one", [
    calendar(("mon", "09:00", "09:10")),
    calendar(off=tuple((date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(500))),
])
def test_where_there_is_no_such_time_for_a_year_there_is_none(one):
    assert None is opening(one, utc("2026-01-01 00:00"), timedelta(hours=1))


def test_a_moment_is_told_as_people_there_say_it():
    told = [local(calendar(), utc(f"2026-10-25 0{h}:30")) for h in (0, 1)]
    assert ["Sunday 2026-10-25 02:30 CEST", "Sunday 2026-10-25 02:30 CET"] == told


TIMES = st.integers(0, 143).map(lambda n: f"{n // 6:02}:{n % 6 * 10:02}")
DAYS = st.sets(st.sampled_from(["fri", "sat", "sun", "mon"]), min_size=1).map(" ".join)
AROUND = st.sampled_from(["2026-03-28", "2026-10-24", "2026-06-06"]).flatmap(
    lambda day: st.integers(0, 2 * 1440).map(lambda m: utc(day) + m * MINUTE))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(DAYS, TIMES, TIMES), max_size=2), AROUND, st.integers(1, 90))
def test_the_next_allowed_time_is_allowed_and_none_is_before_it(hours, after, span):
    one = calendar(*hours, off=("2026-03-29",))
    found = opening(one, after, span * MINUTE)
    assert found is None or closing(one, found, span * MINUTE) is None
    end = min(found or after + timedelta(days=1), after + timedelta(days=1))
    while after < end:
        assert closing(one, after, span * MINUTE) is not None
        after += 7 * MINUTE


def test_the_most_hours_there_may_be_are_looked_at_once_each():
    """No fault ever fits: each opening of a year is tried, no minute between them."""
    days: list[date] = []
    hours = calendar(*((" ".join(Day), f"{at:02}:01", f"{at:02}:02") for at in range(20))).hours
    tried = Calendar(BERLIN, hours, lambda day: days.append(day) or "")
    assert None is opening(tried, utc("2026-01-01T00:00"), 10 * MINUTE)
    assert len(days) < 400 * 20 * 5
