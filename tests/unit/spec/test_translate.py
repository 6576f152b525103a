"""Errors that no suite of today can cause are still told at their place."""

from holdfast.spec.problems import Problem
from holdfast.spec.translate import problems


def test_an_error_without_words_of_ours_keeps_its_own():
    error = {"loc": ("a", 0), "type": "multiple_of", "input": 5, "msg": "no multiple of 2"}
    assert [Problem(("a", 0), "'5': no multiple of 2")] == problems([error])


def test_a_pattern_that_is_not_of_a_name_is_shown():
    error = {"loc": ("a",), "type": "string_pattern_mismatch", "input": "x", "msg": "",
             "ctx": {"pattern": "^y$"}}
    assert [Problem(("a",), "'x' does not match ^y$")] == problems([error])


def test_a_missing_word_is_not_told_beside_its_misspelling():
    errors = [
        {"loc": ("metadata", "owner"), "type": "missing", "input": {}, "msg": ""},
        {"loc": ("metadata", "onwer"), "type": "extra_forbidden", "input": "x", "msg": ""},
    ]
    assert ["unknown word 'onwer'"] == [p.text for p in problems(errors)]
