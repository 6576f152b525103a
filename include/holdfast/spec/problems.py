"""What is wrong with a file: every problem at once, each with the nearest right word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.errors import SpecError
from holdfast.spec.letters import foreign

_MANY = 12
Place = tuple[Any, ...]
"""Keys and indices from the root of the file, as pydantic names them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at `place`; `on_key` points at the key, not at its value."""

    place: Place
    text: str
    hint: str = ""
    on_key: bool = False


class SpecErrors(SpecError):
    """All that is wrong with a file; its text is one line for each of `errors`."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


def nearest(word: object, known: Iterable[str]) -> str:
    """Name the nearest known word, or all of them when none is near; many words by their family."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    choices: Sequence[str] = sorted(known)
    if not choices:
        return ""
    allowed = max(2, len(str(word)) // 3)
    found = process.extractOne(
        str(word), choices, scorer=OSA.distance, processor=str.lower, score_cutoff=allowed
    )
    if found is not None:
        other = foreign(str(word)) if found[0].isascii() else ""
        return f"did you mean '{found[0]}'?" + (f" {other}" if other else "")
    if len(choices) > _MANY:
        choices = list(dict.fromkeys(f"{family}.*" if rest else family
                                     for family, _, rest in (c.partition(".") for c in choices)))
    return f"known: {', '.join(choices)}"
