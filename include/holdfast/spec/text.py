"""YAML text to plain data that remembers the line and column of every value, within limits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import SpecError
from holdfast.spec.problems import Place

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_ALIASES = 16


@dataclass(frozen=True, slots=True)
class Source:
    """The data of a file and where each part of it stands: place to (line, column), from 1."""

    where: str
    data: Any
    values: dict[Place, tuple[int, int]]
    keys: dict[Place, tuple[int, int]]

    def spot(self, place: Place, *, on_key: bool = False) -> tuple[int, int]:
        """Line and column of a place, or of the nearest part around it that is there."""
        while place:
            found = (self.keys.get(place) if on_key else None) or self.values.get(place)
            if found:
                return found
            place = place[:-1]
        return self.values.get((), (1, 1))

    def at(self, place: Place, *, on_key: bool = False) -> str:
        """File, line and column of a place."""
        line, column = self.spot(place, on_key=on_key)
        return f"{self.where}:{line}:{column}"


def refuse_large(size: int, where: str) -> None:
    """SpecError for more bytes than a suite may have."""
    if size > MAX_BYTES:
        raise SpecError(f"the file has {size} bytes", where=where, hint=f"at most {MAX_BYTES}")


def read(text: str, where: str) -> Source:
    """Read one YAML (or JSON) document; SpecError at the first thing that is refused."""
    import yaml

    # libyaml reads a file about ten times faster; what scalars mean is settled below, for both.
    loader = yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader
    refuse_large(len(text.encode()), where)
    try:
        return _Reader(where, yaml.parse(text, Loader=loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        what = " ".join(str(error.problem or error.context).split())
        raise SpecError(f"not YAML: {what}", where=place) from error
    except yaml.YAMLError as error:
        raise SpecError(f"not YAML: {str(error).splitlines()[0]}", where=where) from error


@dataclass
class _Reader:
    """Builds data from events, so that a refused file is never built."""

    where: str
    events: Iterator[Any]
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    anchors: dict[str, Any] = field(default_factory=dict)
    aliases: int = 0

    def document(self) -> Source:
        """Read the only document."""
        next(self.events)  # the start of the stream
        event = next(self.events)
        if _is(event, "StreamEnd"):
            raise SpecError("the file is empty", where=f"{self.where}:1:1")
        data = self.value(next(self.events), ())
        next(self.events)  # the end of the document
        event = next(self.events)
        if not _is(event, "StreamEnd"):
            self.refuse(event, "a second document begins here", "one suite for each file")
        return Source(self.where, data, self.values, self.keys)

    def value(self, event: Any, place: Place) -> Any:
        """Read what begins with this event."""
        if len(place) > MAX_DEPTH:
            self.refuse(event, f"more than {MAX_DEPTH} levels deep")
        self.values[place] = _spot(event)
        if _is(event, "Alias"):
            return self.alias(event)
        if event.tag is not None:
            self.refuse(event, f"a tag is not allowed: {event.tag}", "plain values only")
        built = _BUILD[type(event).__name__](self, event, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = built
        return built

    def mapping(self, _event: Any, place: Place) -> dict[Any, Any]:
        """Read up to the end of the mapping; a key may be there once."""
        built: dict[Any, Any] = {}
        while not _is(event := next(self.events), "MappingEnd"):
            if not _is(event, "Scalar") or event.anchor is not None:
                self.refuse(event, "a key is a plain word")
            key = str(event.value)
            if key in built:
                line = self.keys[(*place, key)][0]
                self.refuse(event, f"'{key}' is there twice", f"first in line {line}")
            self.keys[(*place, key)] = _spot(event)
            built[key] = self.value(next(self.events), (*place, key))
        return built

    def sequence(self, _event: Any, place: Place) -> list[Any]:
        """Read up to the end of the list."""
        built: list[Any] = []
        while not _is(event := next(self.events), "SequenceEnd"):
            built.append(self.value(event, (*place, len(built))))
        return built

    def scalar(self, event: Any, _place: Place) -> Any:
        """Read a plain value by the core schema of YAML 1.2; what is quoted is text."""
        return _core(event.value) if event.implicit[0] else event.value

    def alias(self, event: Any) -> Any:
        """Give again what an anchor has named before."""
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.refuse(event, f"more than {MAX_ALIASES} aliases")
        if event.anchor not in self.anchors:
            self.refuse(event, f"unknown alias '*{event.anchor}'")
        return self.anchors[event.anchor]

    def refuse(self, event: Any, text: str, hint: str = "") -> None:
        """Stop reading."""
        line, column = _spot(event)
        raise SpecError(text, where=f"{self.where}:{line}:{column}", hint=hint)


_BUILD = {
    "MappingStartEvent": _Reader.mapping,
    "SequenceStartEvent": _Reader.sequence,
    "ScalarEvent": _Reader.scalar,
}
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}


def _core(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?", text):
        return float(text)
    return text


def _spot(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _is(event: Any, kind: str) -> bool:
    return type(event).__name__ == f"{kind}Event"
