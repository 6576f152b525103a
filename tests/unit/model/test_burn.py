"""Burn rates: how authors write them, and what they come to (S4)."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from holdfast.model.burn import allowed, burn_rate, burns, outage
from holdfast.model.quantities import Bound, BurnCondition, Stops, parse_bound, parse_stop

stops = TypeAdapter(Stops)
HOUR = BurnCondition(factor=14.4, long=timedelta(hours=1), short=timedelta(minutes=5))


def bound(text):
    return Bound.model_validate(parse_bound(text))


@pytest.mark.parametrize("text", ["> 14.4x over 1h and 5m", "> 6x over 6h and 30m",
                                  "> 2x over 10s and 1500ms"])
def test_a_burn_rate_is_read_back_from_its_text(text):
    assert text == str(parse_stop(text))
    assert parse_stop(text) == parse_stop(parse_stop(text))


@pytest.mark.parametrize(("text", "why"), [
    ("> 14.4x", "a burn rate is written"), ("< 2x over 1h and 5m", "a burn rate is written"),
    ("> 2x over 1h", "a burn rate is written"), ("> 2x over 1h and soon", "a duration is"),
    ([], "a stop condition says"), ({}, "a bound is"), (["> 60%", 7], "a bound is"),
])
def test_anything_else_says_how_it_is_written(text, why):
    with pytest.raises(ValidationError, match=why):
        stops.validate_python(text)


@pytest.mark.parametrize("given", ["> 60% for 6s", ["> 60%", "> 14.4x over 1h and 5m"]])
def test_one_condition_or_several_are_written_as_they_were_read(given):
    assert given == stops.dump_python(stops.validate_python(given))


@pytest.mark.parametrize(("objective", "value", "rate"), [
    ("< 0.1%", 0.0144, 14.4), (">= 99.9%", 0.9856, 14.4), ("< 1%", 0.0, 0.0),
])
def test_a_rate_of_one_is_what_the_objective_allows(objective, value, rate):
    assert rate == pytest.approx(burn_rate(bound(objective), value))
    assert pytest.approx(1.0) == allowed(bound(objective)) * 1000 or objective == "< 1%"


@pytest.mark.parametrize(("rates", "true"), [
    ((15.0, 15.0), True), ((15.0, 14.4), False), ((14.0, 90.0), False), ((), False),
])
def test_both_windows_must_burn(rates, true):
    """The long one shows that it matters, the short one that it goes on."""
    assert true == burns(HOUR, rates)


def test_it_is_told_how_long_an_outage_it_takes():
    assert timedelta(seconds=51.84) == outage(HOUR, bound("< 0.1%"))
