"""How well a target is, in one number that says what it is made of (S1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.quantities import Bound, parse_bound
from holdfast.safety.health import Part, health, of_objective, of_query, to_spare


def bound(text):
    return Bound.model_validate(parse_bound(text))


@pytest.mark.parametrize(("text", "values", "expected"), [
    pytest.param("< 500ms", [0.1, 0.4], 1.0, id="a-fifth-to-spare"),
    pytest.param("< 500ms", [0.1, 0.45], 0.75, id="a-tenth-to-spare"),
    pytest.param("<= 500ms", [0.5], 0.5, id="holds-with-nothing-to-spare"),
    pytest.param("< 500ms", [0.1, 0.1, 0.1, 0.6], 0.375, id="did-not-hold-once"),
    pytest.param("< 500ms", [0.6], 0.0, id="never-held"),
    pytest.param(">= 99%", [1.0, 0.992], 1.0, id="a-fifth-of-the-rest-up-to-100-percent"),
    pytest.param(">= 99%", [1.0, 0.991], 0.75, id="half-of-that"),
    pytest.param(">= 10", [13.0], 1.0, id="a-plain-number"),
    pytest.param("<= 0", [0.0], 1.0, id="a-bound-without-size"),
    pytest.param("<= 0", [1.0], 0.0, id="beyond-a-bound-without-size"),
])
def test_an_objective_is_worth_how_steadily_and_how_far_it_held(text, values, expected):
    assert pytest.approx(expected) == of_objective("o", bound(text), values).value


def test_a_part_says_what_it_is_made_of():
    told = of_objective("latency", bound("< 500ms"), [0.1, 0.1, 0.1, 0.6]).text
    assert "latency held in 75% of the samples and was 600ms at worst, objective < 500ms" == told


@pytest.mark.parametrize(("part", "value", "text"), [
    (of_objective("o", bound("< 1"), []), None, "o was not measured"),
    (of_query("pool", 2.0, None, "no series"), None, "pool was not measured: no series"),
    (of_query("pool", 2.0, 7.0), None, "pool gave 7, which is not between 0 and 1"),
    (of_query("pool", 2.0, 0.5), 0.5, "pool was 0.50"),
])
def test_what_was_not_measured_has_no_value(part, value, text):
    assert (value, text) == (part.value, part.text)


def test_the_score_is_the_weighted_mean():
    found = health([Part("a", 1.0, 1.0, ""), Part("b", 3.0, 0.6, "")], 0.7)
    assert (0.7, "") == (round(found.score, 9), found.why_not())


def test_below_the_limit_the_parts_that_pulled_it_down_are_named_worst_first():
    found = health([Part("a", 1.0, 1.0, "a is well"), Part("b", 1.0, 0.9, "b was slow"),
                    Part("c", 3.0, 0.5, "c failed")], 0.8)
    assert "the health of the target is 0.68, 0.8 wanted: c failed; b was slow" == found.why_not()


def test_what_was_not_measured_counts_as_ill():
    assert 0.5 == health([Part("a", 1.0, 1.0, ""), Part("b", 1.0, None, "")], 0.8).score


@pytest.mark.parametrize("parts", [[], [Part("a", 1.0, None, "")]])
def test_nothing_measured_gives_no_score(parts):
    """N18: never a score of 100 with nothing checked."""
    found = health(parts, 0.0)
    assert None is found.score
    assert "nothing was measured" in found.why_not()


@given(st.lists(st.floats(0, 10), min_size=1), st.sampled_from(["< 5", ">= 5", ">= 50%"]))
def test_a_part_is_between_ill_and_well(values, text):
    assert 0.0 <= of_objective("o", bound(text), values).value <= 1.0


@given(st.floats(0, 10), st.sampled_from(["< 5", "<= 5", ">= 5", "> 5"]))
def test_what_holds_has_room_to_spare_and_what_does_not_has_none(value, text):
    room = to_spare(bound(text), value)
    assert room == 0 or bound(text).holds(value) == (room > 0)
