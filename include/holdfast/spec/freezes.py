"""Freezes of a whole deployment: `freezes.yaml` in the folder of the suites."""

from datetime import date
from pathlib import Path

from pydantic import ValidationError

from holdfast.errors import SpecError
from holdfast.model.windows import Freezes, WideFreeze
from holdfast.spec import text, translate
from holdfast.spec.problems import SpecErrors

FILE = "freezes.yaml"


def load_freezes(folder: Path) -> tuple[WideFreeze, ...]:
    """Read and check the file; without one there are none. SpecErrors names line and column."""
    file = folder / FILE
    try:
        written = file.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(file)) from error
    try:
        source = text.read(written.decode(), str(file))
        found = Freezes.model_validate(source.data).freezes
    except UnicodeDecodeError as error:
        raise SpecError(f"not UTF-8: byte {error.start}", where=str(file)) from error
    except ValidationError as error:
        raise SpecErrors(
            SpecError(p.text, where=source.at(p.place, on_key=p.on_key), hint=p.hint)
            for p in translate.problems(error.errors())
        ) from error
    for number, freeze in enumerate(found):
        if freeze.end < freeze.begin:
            where = source.at(("freezes", number, "to"))
            raise SpecError(backwards(freeze.begin), where=where)
    return found


def backwards(begin: date) -> str:
    """What is said of a freeze that ends before it begins."""
    return f"a freeze that begins on {begin} cannot end before"
