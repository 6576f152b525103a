"""Counters that only rise (S2, B1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.safety.traffic import Counted, counted


def points(*values, start=100.0):
    return [(start + n, float(value)) for n, value in enumerate(values)]


@pytest.mark.parametrize(("seen", "expected"), [
    pytest.param(points(10, 15, 20), Counted(10.0, 0.0), id="rises"),
    pytest.param(points(10, 15, 3), Counted(8.0, 0.0), id="began-anew"),
    pytest.param([(100.0, 10.0), (102.0, 60.0)], Counted(50.0, 0.0), id="a-gap-is-no-loss"),
    pytest.param([], Counted(0.0, 2.0), id="nobody-saw-it"),
    pytest.param(points(10), Counted(0.0, 0.0), id="one-reading"),
])
def test_what_a_counter_rose_by(seen, expected):
    assert expected == counted([seen], 100.0, 102.0)


def test_what_lies_beyond_the_readings_is_unseen():
    """Missing data never counts as nothing."""
    assert Counted(10.0, 5.0 + 7.0) == counted([points(10, 15, 20)], 95.0, 109.0)


@given(st.lists(st.integers(0, 1000)), st.integers(0, 5))
def test_a_restart_in_between_only_ever_hides_what_nobody_read(steps, at):
    whole, value, seen = 0, 0, []
    for number, more in enumerate(steps):
        value = 0 if number == at else value
        value, whole = value + more, whole + (more if seen else 0)
        seen.append((float(number), float(value)))
    assert counted([seen], 0.0, max(0.0, len(seen) - 1.0)).rise <= whole


@pytest.mark.parametrize(("every", "expected"), [
    pytest.param([points(10, 15, 20), points(1, 2)], 11.0, id="one-dies"),
    pytest.param([points(10, 15, 20), points(3, 8, start=101)], 18.0, id="one-is-new"),
    pytest.param([points(10, 15, 20), [(80.0, 500.0), (102.0, 503.0)]], 13.0, id="one-was-away"),
    pytest.param([points(7, 9, start=101), points(4, start=102)], 2.0, id="nobody-looked-before"),
])
def test_each_series_is_counted_by_itself(every, expected):
    assert Counted(expected, 0.0) == counted(every, 100.0, 103.0)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=6))
def test_what_is_no_counter_counts_never_less_than_nothing_and_never_endlessly(values):
    """A suite says what counts its requests: `-x` would pay its budget back."""
    seen = [(100.0 + n, value) for n, value in enumerate(values)]
    assert 0.0 <= counted([seen], 100.0, 105.0).rise <= 6 * 2.0 ** 53
