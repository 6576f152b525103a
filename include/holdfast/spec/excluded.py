"""Controls that do not apply to a deployment: `controls.yaml` in the folder of the suites."""

from collections.abc import Collection
from pathlib import Path

from pydantic import Field, ValidationError

from holdfast.errors import SpecError
from holdfast.model.control import Excluded
from holdfast.model.quantities import Frozen
from holdfast.spec import text, translate
from holdfast.spec.problems import SpecErrors, nearest

FILE = "controls.yaml"


class _Scope(Frozen):
    not_applicable: dict[str, str] = Field(default_factory=dict)


def load_excluded(folder: Path, known: Collection[str]) -> Excluded:
    """Read and check the file; without one all apply. SpecErrors names line and column."""
    file = folder / FILE
    try:
        source = text.read(text.decoded(file.read_bytes(), str(file)), str(file))
        found = _Scope.model_validate(source.data).not_applicable
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except ValidationError as error:
        raise SpecErrors(
            SpecError(p.text, where=source.at(p.place, on_key=p.on_key), hint=p.hint)
            for p in translate.problems(error.errors())
        ) from error
    for name, why in found.items():
        where = source.at(("not_applicable", name), on_key=True)
        if name.lower() not in known:
            raise SpecError(f"unknown control '{name}'", where=where, hint=nearest(name, known))
        if not why.strip():
            raise SpecError(f"nothing says why '{name}' does not apply", where=where)
    return {name.lower(): why for name, why in found.items()}
