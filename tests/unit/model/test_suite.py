"""How authors write durations, bounds and stop conditions."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from holdfast.model.quantities import (
    Amount,
    Bound,
    BoundText,
    Duration,
    Ratio,
    format_duration,
    parse_duration,
    parse_stop,
)
from holdfast.model.suite import Suite
from support import suites

bound = TypeAdapter(BoundText).validate_python
stop = parse_stop


@pytest.mark.parametrize(("text", "seconds"), [
    ("500ms", 0.5), ("8s", 8), ("1.5s", 1.5), ("2m", 120), ("1h", 3600), (" 5s ", 5),
])
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert timedelta(seconds=seconds) == parse_duration(text)


@pytest.mark.parametrize("text", ["8", "s", "-8s", "8 s", "8sec", "", "1h30m", 8, None, True])
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["\u0668s", "9999999999999999s", "1.0000000000000001s"])
def test_a_duration_has_plain_digits_and_not_too_many(text):
    with pytest.raises(ValueError, match="a duration is a number"):
        parse_duration(text)


def test_as_many_durations_as_a_suite_may_have_can_be_added():
    century = parse_duration("876600h")
    assert century * 10_000 < timedelta.max
    with pytest.raises(ValueError, match="a duration is not that long"):
        parse_duration("876601h")


def test_a_duration_beyond_all_reach_is_refused_and_does_not_overflow():
    with pytest.raises(ValueError, match="a duration is not that long"):
        parse_duration("999999999999999h")


@given(st.integers(0, 10**8))
def test_a_duration_is_read_as_it_was_written(ms):
    value = timedelta(milliseconds=ms)
    assert value == parse_duration(format_duration(value))


@pytest.mark.parametrize(("text", "op", "value"), [
    ("< 500ms", "<", 0.5), (">= 99%", ">=", 0.99), ("<0.2", "<", 0.2), ("> -3", ">", -3.0),
    ("<= 2s", "<=", 2.0),
])
def test_a_bound_is_in_the_base_unit(text, op, value):
    read = bound(text)
    assert (op, pytest.approx(value)) == (read.op, read.value)


@pytest.mark.parametrize("text", ["500ms", "== 5", "< 5 h", "<", "", "< 5% or so", "< \u0668%",
                                  "< 9999999999999999", 5, {"op": "<", "value": 5}])
def test_anything_else_is_no_bound(text):
    with pytest.raises(ValidationError, match="a bound is"):
        bound(text)


@pytest.mark.parametrize("text", ["> -60%", "> 100.1%", "< -1ms", "< -0.5s"])
def test_a_bound_that_nothing_measured_can_cross_is_refused(text):
    with pytest.raises(ValidationError, match="a time is not negative, a percentage between"):
        bound(text)


@pytest.mark.parametrize("text", ["< 500ms", ">= 99%", "< 0.2", "> 60%", "<= 2s"])
def test_a_bound_is_shown_as_it_was_written(text):
    assert text == str(bound(text))


@pytest.mark.parametrize(("text", "inside", "outside"), [
    ("< 1%", 0.0099, 0.01), ("<= 1%", 0.01, 0.0101), ("> 1", 1.1, 1.0), (">= 99%", 0.99, 0.98),
])
def test_a_bound_holds_up_to_its_edge(text, inside, outside):
    assert bound(text).holds(inside)
    assert not bound(text).holds(outside)


@given(st.sampled_from(["<", "<=", ">", ">="]), st.floats(allow_nan=False, allow_infinity=False))
def test_no_bound_holds_for_what_is_no_number(op, value):
    assert not Bound(op=op, value=value).holds(float("nan"))


def test_a_stop_condition_may_wait():
    read = stop("> 60% for 6s")
    assert ("> 60%", timedelta(seconds=6)) == (str(read.bound), read.hold)
    assert timedelta(0) == stop("> 60%").hold


@pytest.mark.parametrize("text", ["> 60% for 6s", "> 500ms for 250ms", "< 40%"])
def test_a_stop_condition_is_shown_as_it_was_written(text):
    assert text == str(stop(text))


def test_a_suite_comes_back_from_json_as_it_was():
    suite = suites.suite()
    assert suite == Suite.model_validate(suite.model_dump(mode="json", by_alias=True))


def test_a_suite_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        suites.suite().kind = "Other"  # type: ignore[assignment,misc]


def test_durations_are_described_to_editors_as_text():
    assert "string" == TypeAdapter(Duration).json_schema()["type"]


def test_values_that_are_already_read_are_taken_as_they_are():
    ready = stop("> 60% for 6s")
    assert ready == stop(ready)
    assert ready.bound == bound(ready.bound)


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), (0.1, 0.1), (1, 1.0), ("0%", 0.0)])
def test_a_share_is_a_percentage_or_a_number_up_to_one(text, share):
    assert share == TypeAdapter(Ratio).validate_python(text)


@pytest.mark.parametrize("text", ["10", "110%", -0.1, True, "ten"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Ratio).validate_python(text)


@pytest.mark.parametrize(
    ("text", "amount"), [("0.001", "0.001"), (0.001, "0.001"), (100, "100"), (Decimal("5"), "5")]
)
def test_an_amount_is_kept_as_it_was_written(text, amount):
    assert Decimal(amount) == TypeAdapter(Amount).validate_python(text)


@pytest.mark.parametrize("text", ["-1", True, "1e3", "0.0000001", None])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Amount).validate_python(text)
