"""EDN as Jepsen writes it (R6)."""

import pytest

from holdfast.history.edn import DEPTH, EdnError, Keyword, forms, parse, written


@pytest.mark.parametrize(("text", "value"), [
    ("nil", None), ("true", True), ("-7", -7), ("+7", 7), ("12N", 12), ("1.5M", 1.5), ("1/4", 0.25),
    (":a/b", Keyword(":a/b")), ('"a\\n\\"b"', 'a\n"b'), ("\\a", "a"), ("\\newline", "\n"),
    ("\\u0041", "A"), ("[1, [2 nil]]", [1, [2, None]]), ("(1 2)", [1, 2]), ("#{1 2}", [1, 2]),
    ("{:a {0 1}}", {":a": {0: 1}}), ('#inst "2026"', "2026"), ("#jepsen.Op{:a 1}", {":a": 1}),
    ("[1 #_ [2 3] 4] ; the rest", [1, 4]), ("##Inf", float("inf")),
])
def test_a_value_is_read(text, value):
    assert value == parse(text)


@pytest.mark.parametrize(("text", "told"), [
    ("[1", "closes nothing"), ("1]", "closes nothing"), ("[1}", "closes nothing"),
    ("{1}", "lacks a value"), ('"a', "a string is never closed"), ("[#_]", "nothing to discard"),
    ("[" * (DEPTH + 2), "nested deeper"), ("1x", "no number"), ("1/0", "no number"),
    ("9" * 5000, "no number"), ('"\\q"', "unknown escape"), ("1 2", "not one value"),
    ("", "not one value"),
])
def test_what_is_no_edn_says_so(text, told):
    with pytest.raises(EdnError, match=told):
        parse(text)


@pytest.mark.parametrize("text", ["{:a 1} {:a 2}", "[{:a 1} {:a 2}]", "({:a 1},\n{:a 2})"])
def test_rows_stand_one_after_another_or_in_one_vector(text):
    assert [{":a": 1}, {":a": 2}] == [form for _, form in forms(text)]


def test_equal_values_have_equal_texts_and_no_others():
    pairs = [parse("#{2 1}"), parse("#{1 2}"), parse("{:b 1 :a 2}"), parse("{:a 2 :b 1}")]
    assert ["#{1 2}", "#{1 2}", "{:a 2, :b 1}", "{:a 2, :b 1}"] == [written(v) for v in pairs]
    others = [1, 1.0, True, "1", Keyword(":1"), [1], [[1]], None, parse("#{1}")]
    assert len(others) == len({written(value) for value in others})


def test_what_is_nested_too_deep_is_not_written():
    value = []
    for _ in range(DEPTH + 2):
        value = [value]
    with pytest.raises(ValueError, match="nested deeper"):
        written(value)
