"""Letters that are not seen, or are taken for others (O1)."""

import pytest

from holdfast.spec.letters import foreign, hidden, name_of, one_line


@pytest.mark.parametrize(("text", "place"), [
    ("a\u200bb", (1, 2)), ("ok\nx\u202e", (2, 2)), ("\x1b[2J", (1, 1)), ("a\x00", (1, 2)),
    ("\u2028", (1, 1)), ("a\rb", (1, 2)), ("\ufeff", (1, 1)), ("\uffff", (1, 1)),
])
def test_a_letter_that_is_not_seen_is_found(text, place):
    ((line, column, _),) = hidden(text)
    assert place == (line, column)


@pytest.mark.parametrize("text", ["", "a: b\n\tc: d\r\n", "\u00fcber \u65e5\u672c \U0001f600"])
def test_what_is_seen_is_left_alone(text):
    assert [] == list(hidden(text))


def test_a_look_alike_is_named():
    assert "'\u0430' is U+0430 CYRILLIC SMALL LETTER A" == foreign("\u0430pi")
    assert "" == foreign("api")
    assert "U+0007 control character" == name_of("\x07")
    assert "U+FFFE noncharacter" == name_of("\ufffe")


def test_an_error_is_one_line_and_not_endless():
    assert r"a\nb\x1b" == one_line("a\nb\x1b")
    assert ("x" * 397 + "...") == one_line("x" * 1000)
