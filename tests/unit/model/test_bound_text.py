"""A bound that was written down is read back as the same bound."""

import pytest

from holdfast.model.suite import Bound, parse_bound


@pytest.mark.parametrize("text", ["< 500ms", ">= 99.95%", "< 1000000", "> 1234567.5ms", "< 0.001"])
def test_a_bound_is_read_back_from_its_text(text):
    bound = Bound.model_validate(parse_bound(text))
    assert text == str(bound)
    assert bound == Bound.model_validate(parse_bound(str(bound)))
