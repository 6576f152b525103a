"""Letters that a person does not see, or takes for others."""

import unicodedata
from collections.abc import Iterator

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Categories of Unicode that are not drawn, or that change how others are drawn."""
_UNNAMED = {"Cc": "control character", "Co": "private use", "Cs": "surrogate"}
_LONGEST = 400


def hidden(text: str) -> Iterator[tuple[int, int, str]]:
    """Line and column, from 1, of each letter that is not seen; blanks, tabs and line ends are."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.removesuffix("\r").replace("\t", " ")
        if bare.isprintable():
            continue
        for column, letter in enumerate(bare, 1):
            if unicodedata.category(letter) in _HIDDEN or ord(letter) & 0xFFFE == 0xFFFE:
                yield number, column, letter


def name_of(letter: str) -> str:
    """What Unicode calls a letter."""
    unnamed = _UNNAMED.get(unicodedata.category(letter), "noncharacter")
    return f"U+{ord(letter):04X} {unicodedata.name(letter, unnamed)}"


def foreign(word: str) -> str:
    """Name the first letter of a word that is not ASCII; empty if there is none."""
    found = next((letter for letter in word if not letter.isascii()), None)
    return f"'{found}' is {name_of(found)}" if found else ""


def visible(text: str) -> str:
    """A text with nothing hidden in it: a file's name may hold line ends and terminal codes."""
    return text if text.isprintable() else "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def one_line(text: str) -> str:
    """A text as one line of an error: nothing hidden, and not endless."""
    seen = visible(text)
    return seen if len(seen) <= _LONGEST else f"{seen[:_LONGEST - 3]}..."
