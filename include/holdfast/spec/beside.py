"""Files of a deployment in the folder of the suites, read as strictly as a suite."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from holdfast.errors import SpecError
from holdfast.spec import text, translate
from holdfast.spec.letters import visible
from holdfast.spec.problems import SpecErrors

_Shape = TypeVar("_Shape", bound=BaseModel)


def load_beside(file: Path, shape: type[_Shape]) -> tuple[_Shape, text.Source] | None:
    """Read and check the file; None where there is none. SpecError names line and column."""
    try:
        source = text.read(text.of_file(file), visible(str(file)))
        return shape.model_validate(source.data), source
    except SpecError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise
    except ValidationError as error:
        raise SpecErrors(
            SpecError(p.text, where=source.at(p.place, on_key=p.on_key), hint=p.hint)
            for p in translate.problems(error.errors())
        ) from error
