"""Open a history file, whatever its format."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from holdfast.errors import SpecError
from holdfast.history.columns import History
from holdfast.history.source import Advance, Reader, Source, sized
from holdfast.registry import Registry

FORMATS: Registry[Reader] = Registry("history.formats", "READER")


@dataclass(frozen=True, slots=True)
class Opened:
    """A history, and what it was read from; `digest` is the file's SHA-256."""

    history: History
    format: str
    digest: str


def open_history(path: Path, form: str = "", advance: Advance = lambda _: None) -> Opened:
    """Read a history file; `form` names its format where its content must not tell.

    A file that is damaged, or contradicts itself, is a SpecError with its line and a cure.
    """
    size = sized(path)
    with _opened(path) as file, _no_collections():
        source = Source(path.name, size, file, advance)
        form = form.replace("-", "_") or _format(source)
        history = FORMATS[form].read(source).history()
    return Opened(history, form, source.digest)


def _format(source: Source) -> str:
    head = source.head()
    for name in FORMATS:
        if FORMATS[name].fits(head):
            return name
    what = "it is empty" if not head.strip() else "it is no history that is known"
    raise SpecError(what, where=source.name, hint=f"formats: {', '.join(FORMATS)}; see --format")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SpecError(f"it cannot be read: {error.strerror}", where=str(path),
                        hint="name a history file") from error
    with file:
        yield file


@contextmanager
def _no_collections() -> Iterator[None]:
    """Leave the collector out: millions of small lists come and go, and none is in a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
