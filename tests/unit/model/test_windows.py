"""Times of day, dates and hours as an author writes them (S7)."""

from datetime import date, time

import pytest
from pydantic import ValidationError

from holdfast.model.windows import Day, Hours, Windows, parse_date, parse_time_of_day

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def hours(days: str = "mon", begin: str = "09:00", end: str = "17:00") -> Hours:
    return Hours.model_validate({"days": days.split(), "from": begin, "to": end})


@pytest.mark.parametrize(("text", "at"), [
    ("09:00", time(9)), ("23:59", time(23, 59)), ("00:00", time(0)), ("24:00", time(0)),
    (time(7), time(7)),
])
def test_a_time_of_day_is_hours_and_minutes(text, at):
    assert at == parse_time_of_day(text)


@pytest.mark.parametrize("text", ["9:00", "24:01", "25:00", "09:60", "09:00:00", 900, None, ""])
def test_anything_else_is_no_time_of_day(text):
    with pytest.raises(ValueError, match="such as 09:00"):
        parse_time_of_day(text)


@pytest.mark.parametrize("text", ["2026-02-30", "20260101", "2026-1-1", "٢٠٢٦-01-01", 20260101])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match="such as 2026-12-24"):
        parse_date(text)


def test_a_date_is_read_and_stays_one():
    assert MONDAY == parse_date("2026-01-05") == parse_date(MONDAY)


@pytest.mark.parametrize(("day", "at", "covered"), [
    (MONDAY, time(9), True), (MONDAY, time(16, 59), True), (MONDAY, time(17), False),
    (MONDAY, time(8, 59), False), (TUESDAY, time(12), False),
])
def test_hours_include_their_beginning_and_not_their_end(day, at, covered):
    assert covered is hours().cover(day, at)


@pytest.mark.parametrize(("day", "at", "covered"), [
    (MONDAY, time(22), True), (TUESDAY, time(3, 59), True), (TUESDAY, time(4), False),
    (MONDAY, time(3), False), (TUESDAY, time(23), False),
])
def test_hours_that_end_before_they_begin_go_on_into_the_next_day(day, at, covered):
    assert covered is hours(begin="22:00", end="04:00").cover(day, at)


def test_without_times_it_is_the_whole_day():
    whole = Hours.model_validate({"days": ["mon"]})
    assert whole.cover(MONDAY, time(0)) and whole.cover(MONDAY, time(23, 59, 59))
    assert not whole.cover(TUESDAY, time(0))


@pytest.mark.parametrize(("one", "monday", "tuesday"), [
    (hours(), True, False), (hours(begin="22:00", end="04:00"), True, True),
    (hours(begin="00:00", end="24:00"), True, False),
])
def test_hours_touch_the_days_on_which_some_of_them_are(one, monday, tuesday):
    assert (monday, tuesday) == (one.touch(MONDAY), one.touch(TUESDAY))


def test_windows_are_written_down_as_they_were_read():
    text = {"allowed": [{"days": ["sat"], "from": "22:00", "to": "04:00"}],
            "freezes": [{"from": "2026-12-20", "to": "2027-01-06", "reason": "Christmas"}]}
    dumped = Windows.model_validate(text).model_dump(
        mode="json", by_alias=True, exclude_defaults=True)
    assert text == dumped


def test_no_day_is_no_hours():
    with pytest.raises(ValidationError):
        hours(days="")


def test_a_date_has_its_weekday():
    assert (Day.MON, Day.TUE) == (Day.of(MONDAY), Day.of(TUESDAY))
