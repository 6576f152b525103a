"""The reader of YAML: places, limits, and nothing executed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import SpecError
from holdfast.spec.text import MAX_BYTES, MAX_DEPTH, read

words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as refused:
        read(text, "f")
    return str(refused.value)


def test_values_and_keys_know_line_and_column():
    source = read("a:\n  - b: 1\n    c: two\n", "f")
    assert "f:3:8" == source.at(("a", 0, "c"))
    assert "f:3:5" == source.at(("a", 0, "c"), on_key=True)


def test_a_place_that_is_not_there_is_shown_at_what_is_around_it():
    source = read("a:\n  b: 1\n", "f")
    assert "f:2:6" == source.at(("a", "b", "c", 4))


@pytest.mark.parametrize(("text", "value"), [
    ("1", 1), ("-7", -7), ("1.5", 1.5), ("1e3", 1000.0), ("true", True), ("False", False),
    ("null", None), ("~", None), ("yes", "yes"), ("0o7", "0o7"), ("1_000", "1_000"),
    ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ('"1"', "1"), ("'true'", "true"),
    ("'> 60% for 6s'", "> 60% for 6s"),
])
def test_plain_words_are_read_by_the_core_schema(text, value):
    assert value == read(f"a: {text}\n", "f").data["a"]


@given(plain)
def test_json_is_read_as_json_reads_it(value):
    assert json.loads(json.dumps({"a": value})) == read(json.dumps({"a": value}), "f").data


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_a_json_file_may_be_written_in_any_way(indent):
    value = {"a": {"b": [1, {"c": "d"}]}}
    assert value == read(json.dumps(value, indent=indent), "f").data


def test_an_alias_gives_the_value_again():
    assert {"a": {"x": 1}, "b": {"x": 1}} == read("a: &n {x: 1}\nb: *n\n", "f").data


@pytest.mark.parametrize(("text", "message"), [
    pytest.param("", "f:1:1: the file is empty", id="empty"),
    pytest.param("# nothing\n", "f:1:1: the file is empty", id="comment-only"),
    pytest.param("a: 1\na: 2\n", "f:2:1: 'a' is there twice (first in line 1)", id="twice"),
    pytest.param("a: *b\n", "f:1:4: unknown alias '*b'", id="unknown-alias"),
    pytest.param("? [a]\n: 1\n", "f:1:3: a key is a plain word", id="list-as-key"),
    pytest.param("&k a: 1\n", "f:1:1: a key is a plain word", id="anchor-on-key"),
    pytest.param("a: 1\n---\nb: 2\n", "f:2:1: a second document begins here "
                 "(one suite for each file)", id="second-document"),
    pytest.param("a: !!int 5\n", "f:1:4: a tag is not allowed: tag:yaml.org,2002:int "
                 "(plain values only)", id="tag"),
    pytest.param("a: ! 5\n", "f:1:4: a tag is not allowed: ! (plain values only)", id="bare-tag"),
    pytest.param("a: 'b\n", "f:2:1: not YAML: found unexpected end of stream", id="open-quote"),
])
def test_what_is_not_wanted_is_refused_at_its_place(text, message):
    assert message == refusal(text)


def test_a_recursive_alias_is_unknown():
    assert "unknown alias" in refusal("a: &a [*a]\n")


def test_a_large_file_is_refused_unread():
    assert f"f: the file has {MAX_BYTES + 1} bytes (at most {MAX_BYTES})" == refusal(
        "#" * (MAX_BYTES + 1)
    )


def test_a_deep_file_is_refused():
    assert "more than 20 levels deep" in refusal("[" * (MAX_DEPTH + 2))


def test_control_characters_are_refused():
    assert "f:1:4: a letter that is not seen: U+0000" in refusal("a: \x00\n")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        read(text, "f")
    except SpecError as error:
        assert error.where.startswith("f")
