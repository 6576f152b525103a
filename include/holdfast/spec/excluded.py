"""Controls that do not apply to a deployment: `controls.yaml` in the folder of the suites."""

from collections.abc import Collection
from pathlib import Path

from pydantic import Field

from holdfast.errors import SpecError
from holdfast.model.control import Excluded
from holdfast.model.quantities import Frozen
from holdfast.spec.beside import load_beside
from holdfast.spec.problems import nearest

FILE = "controls.yaml"


class _Scope(Frozen):
    not_applicable: dict[str, str] = Field(default_factory=dict)


def load_excluded(folder: Path, known: Collection[str]) -> Excluded:
    """Read and check the file; without one all apply. SpecError names line and column."""
    read = load_beside(folder / FILE, _Scope)
    if read is None:
        return {}
    found, source = read[0].not_applicable, read[1]
    for name, why in found.items():
        where = source.at(("not_applicable", name), on_key=True)
        if name.lower() not in known:
            raise SpecError(f"unknown control '{name}'", where=where, hint=nearest(name, known))
        if not why.strip():
            raise SpecError(f"nothing says why '{name}' does not apply", where=where)
    return {name.lower(): why for name, why in found.items()}
