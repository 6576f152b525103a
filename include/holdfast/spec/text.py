"""YAML text to plain data that remembers the line and column of every value, within limits."""

import math
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.errors import SpecError
from holdfast.spec.letters import hidden, name_of, one_line, visible
from holdfast.spec.problems import Place

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_ALIASES = 16
MAX_VALUES = 10_000
"""With what aliases repeat; the largest suite that comes along has about 700."""


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
    refuse_large(len(text.encode(errors="surrogatepass")), where)
    text = text.removeprefix("\ufeff")
    for line, column, letter in hidden(text):
        raise _unseen(letter, f"{where}:{line}:{column}")
    try:
        return _Reader(where, yaml.parse(text, Loader=loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        what = " ".join(str(error.problem or error.context).split())
        raise SpecError(f"not YAML: {what}", where=place) from error


def of_file(path: Path) -> str:
    """The text of a regular file that is not too large: a pipe would wait for ever. SpecError."""
    where = visible(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SpecError("not a regular file", where=where)
        refuse_large(status.st_size, where)
        return decoded(path.read_bytes(), where)
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=where) from error


def decoded(content: bytes, where: str) -> str:
    """The text of a file; SpecError at the first byte that is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[:error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        other = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "not UTF-8"
        text = f"the file is {other}: byte 0x{content[error.start]:02x}"
        raise SpecError(text, where=f"{where}:{line}:{column}", hint="save it as UTF-8") from error


def _unseen(letter: str, where: str) -> SpecError:
    return SpecError(f"a letter that is not seen: {name_of(letter)}", where=where,
                     hint="take it out")


@dataclass
class _Reader:
    """Builds data from events, so that a refused file is never built."""

    where: str
    events: Iterator[Any]
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    aliases: int = 0
    count: int = 0

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
        self.more(event, 1)
        before = self.count
        self.values[place] = _spot(event)
        if _is(event, "Alias"):
            return self.alias(event)
        if event.tag is not None:
            self.refuse(event, f"a tag is not allowed: {event.tag}", "plain values only")
        built = _BUILD[type(event).__name__](self, event, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = built, self.count - before
        return built

    def more(self, event: Any, values: int) -> None:
        """Count values; who repeats by alias what holds much has written much."""
        self.count += values
        if self.count > MAX_VALUES:
            self.refuse(event, f"more than {MAX_VALUES} values, aliases counted in full")

    def mapping(self, _event: Any, place: Place) -> dict[Any, Any]:
        """Read up to the end of the mapping; a key may be there once."""
        built: dict[Any, Any] = {}
        while not _is(event := next(self.events), "MappingEnd"):
            if not _is(event, "Scalar") or event.anchor is not None:
                self.refuse(event, "a key is a plain word")
            key = self.seen(event)
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
        written = self.seen(event)
        if not event.implicit[0]:
            return written
        if re.fullmatch(_LEADING_ZERO, written):
            plain = written.lstrip("+-0")
            self.refuse(event, f"'{written}' is octal to some readers of YAML, decimal to others",
                        f"{plain}, or '{written}' in quotes for a text")
        value = _core(written)
        if isinstance(value, float) and (math.isinf(value) or re.fullmatch(_WHOLE, written)):
            self.refuse(event, f"the number '{written}' is too large", "at most 18 digits")
        return value

    def seen(self, event: Any) -> str:
        """The text of a scalar; in quotes, letters may be written that are not seen."""
        written = str(event.value)
        if event.style == '"':
            for _line, _column, letter in hidden(written):
                line, column = _spot(event)
                raise _unseen(letter, f"{self.where}:{line}:{column}")
        return written

    def alias(self, event: Any) -> Any:
        """Give again what an anchor has named before."""
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.refuse(event, f"more than {MAX_ALIASES} aliases")
        if event.anchor not in self.anchors:
            self.refuse(event, f"unknown alias '*{event.anchor}'")
        again, size = self.anchors[event.anchor]
        self.more(event, size)
        return again

    def refuse(self, event: Any, text: str, hint: str = "") -> None:
        """Stop reading."""
        line, column = _spot(event)
        raise SpecError(
            one_line(text), where=f"{self.where}:{line}:{column}", hint=one_line(hint)
        )


_BUILD = {
    "MappingStartEvent": _Reader.mapping,
    "SequenceStartEvent": _Reader.sequence,
    "ScalarEvent": _Reader.scalar,
}
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}


_WHOLE = r"[-+]?[0-9]+"
_LEADING_ZERO = r"[-+]?0[0-9]{1,40}"


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
