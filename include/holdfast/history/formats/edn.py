"""EDN of Jepsen, Elle and Knossos: maps one after another, or one vector of maps."""

import re
from collections.abc import Iterator
from itertools import islice

from holdfast.errors import SpecError
from holdfast.history.build import Builder, Row
from holdfast.history.edn import EdnError, forms
from holdfast.history.source import Reader, Source

_AT_ONCE = 5000
_BLANKS = re.compile(rb"(?:[\s,]+|;[^\n]*)*")
_FIRST = re.compile(rb"(#[\w.]+\s*)?\{\s*:")
_HINT = "mend it, or have the history written anew"


class Edn:
    """Maps with keywords as keys; tags such as #jepsen.history.Op are read over."""

    def fits(self, head: bytes) -> bool:
        """A map with a keyword, after comments, a bracket and a tag."""
        rest = _past_blanks(head)
        if rest[:1] in (b"[", b"("):
            rest = _past_blanks(rest[1:])
        return _FIRST.match(rest) is not None

    def read(self, source: Source) -> Builder:
        """Read it whole, a few thousand rows at a time."""
        try:
            text = source.text()
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise SpecError(f"no text: {error.reason}", where=f"{source.name}: line {line}",
                            hint=_HINT) from error
        builder, found = Builder(source.name), _rows(source.name, text)
        while some := list(islice(found, _AT_ONCE)):
            builder.add([row for _, row in some], [line for line, _ in some])
        return builder


def _past_blanks(head: bytes) -> bytes:
    found = _BLANKS.match(head)
    return head[found.end():] if found else head


def _rows(name: str, text: str) -> Iterator[tuple[int, Row]]:
    line, seen = 1, 0
    try:
        for position, form in forms(text):
            line, seen = line + text.count("\n", seen, position), position
            if not isinstance(form, dict):
                raise SpecError("a row is no map", where=f"{name}: line {line}", hint=_HINT)
            told = form.get
            yield line, Row(
                type=told(":type"), process=told(":process"), f=told(":f"), value=told(":value"),
                time=told(":time"), index=told(":index"), key=told(":key"),
            )
    except EdnError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError(f"damaged: {error}", where=f"{name}: line {line}", hint=_HINT) from error


READER: Reader = Edn()
