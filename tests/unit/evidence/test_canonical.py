"""Canonical bytes are the same everywhere, or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical, read_canonical

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(KEYS, v, max_size=4))


@given(VALUES)
def test_what_was_written_is_read_back(value):
    assert value == json.loads(canonical(value)) == read_canonical(canonical(value))


@given(st.dictionaries(KEYS, LEAVES, max_size=6))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_it_is_compact_sorted_and_utf_8():
    assert '{"a":[1,true],"b":"é"}'.encode() == canonical({"b": "é", "a": (1, True)})


@pytest.mark.parametrize("value", [
    pytest.param({"a": [1.5]}, id="float"),
    pytest.param(2**53, id="large"),
    pytest.param({"é": 1}, id="key-not-ascii"),
    pytest.param({1: 1}, id="key-not-text"),
    pytest.param("\ud800", id="lone-surrogate"),
    pytest.param(b"x", id="bytes"),
])
def test_what_has_no_one_form_is_refused(value):
    with pytest.raises(EvidenceError):
        canonical(value)


def test_a_refusal_names_the_place():
    with pytest.raises(EvidenceError, match=r"\$\.a\[1\]\.b: float"):
        canonical({"a": [1, {"b": 0.5}]})
