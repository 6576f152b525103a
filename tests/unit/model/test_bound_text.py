"""A bound that was written down is read back as the same bound."""

import pytest

from holdfast.model.quantities import Bound, parse_bound


@pytest.mark.parametrize("text", ["< 500ms", ">= 99.95%", "< 1000000", "> 1234567.5ms", "< 0.001"])
def test_a_bound_is_read_back_from_its_text(text):
    bound = Bound.model_validate(parse_bound(text))
    assert text == str(bound)
    assert bound == Bound.model_validate(parse_bound(str(bound)))


@pytest.mark.parametrize(("bound", "value", "text"), [
    pytest.param("< 500ms", 0.0135714, "13.6ms", id="milliseconds"),
    pytest.param("< 1%", 0.0845771, "8.46%", id="percent"),
    pytest.param("< 500ms", 1.8704, "1870ms", id="no-exponent"),
    pytest.param("< 5", 0.0, "0", id="zero"),
    pytest.param("<= 500ms", 0.50012, "500.1ms", id="above-the-bound"),
    pytest.param("< 500ms", 0.49999, "499.99ms", id="below-the-bound"),
    pytest.param("< 500ms", 0.499999, "499.999ms", id="five-digits-are-not-enough"),
    pytest.param("< 500ms", float("nan"), "nanms", id="not-a-number"),
])
def test_what_was_measured_is_told_in_three_digits(bound, value, text):
    """More only where fewer would say the opposite of what the bound says."""
    assert text == Bound.model_validate(parse_bound(bound)).tell(value)


def test_another_bound_counts_too():
    objective, stop = (Bound.model_validate(parse_bound(t)) for t in ("< 500ms", "> 3s"))
    assert ("3000ms", "3002ms") == (objective.tell(3.002), objective.tell(3.002, stop))
