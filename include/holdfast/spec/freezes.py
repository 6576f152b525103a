"""Freezes of a whole deployment: `freezes.yaml` in the folder of the suites."""

from datetime import date
from pathlib import Path

from holdfast.errors import SpecError
from holdfast.model.windows import Freezes, WideFreeze
from holdfast.spec.beside import load_beside

FILE = "freezes.yaml"


def load_freezes(folder: Path) -> tuple[WideFreeze, ...]:
    """Read and check the file; without one there are none. SpecError names line and column."""
    read = load_beside(folder / FILE, Freezes)
    if read is None:
        return ()
    found, source = read[0].freezes, read[1]
    for number, freeze in enumerate(found):
        if freeze.end < freeze.begin:
            where = source.at(("freezes", number, "to"))
            raise SpecError(backwards(freeze.begin), where=where)
    return found


def backwards(begin: date) -> str:
    """What is said of a freeze that ends before it begins."""
    return f"a freeze that begins on {begin} cannot end before"
