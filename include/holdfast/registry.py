"""Find what a room offers by file name: a new file is its own registration."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Generic, TypeVar, cast

from holdfast.errors import SpecError

T = TypeVar("T")


class Registry(Generic[T], Mapping[str, T]):
    """The things of one room, imported on use.

    `holdfast/faults/process/hang.py` exporting `DRIVER` is found as `process.hang`; files whose
    name begins with an underscore are private. Other wheels add theirs by an entry point of the
    group `holdfast.<room>`; they take no name that is taken here.
    """

    def __init__(self, room: str, symbol: str) -> None:
        self._room, self._symbol = room, symbol
        self._modules: dict[str, str] | None = None

    def __getitem__(self, name: str) -> T:
        module = self._own(name) or self._found().get(name)
        if module is None:
            raise SpecError(
                f"unknown {self._symbol.lower()} '{name}'", hint=f"known: {', '.join(self)}"
            )
        return cast(T, getattr(import_module(module), self._symbol))

    def __contains__(self, name: object) -> bool:
        return name in self._found()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._found()))

    def __len__(self) -> int:
        return len(self._found())

    def _own(self, name: str) -> str | None:
        """The module of that name here: a keeper must not read every wheel's metadata."""
        module = f"holdfast.{self._room}.{name}"
        if any(not part.isidentifier() or part.startswith("_") for part in name.split(".")):
            return None
        try:
            spec = find_spec(module)
        except ModuleNotFoundError:  # of a folder on the way
            return None
        return None if spec is None or spec.submodule_search_locations is not None else module

    def _found(self) -> dict[str, str]:
        if self._modules is None:
            from importlib.metadata import entry_points

            package = f"holdfast.{self._room}"
            self._modules = {e.name: e.module for e in entry_points(group=package)} | {
                module.removeprefix(package + "."): module for module in _modules(package)
            }
        return self._modules


def _modules(package: str) -> Iterator[str]:
    for info in pkgutil.iter_modules(import_module(package).__path__, package + "."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        if info.ispkg:
            yield from _modules(info.name)
        else:
            yield info.name
