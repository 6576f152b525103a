"""One JSON array of rows, as elle-cli reads it."""

import re

import msgspec

from holdfast.errors import SpecError
from holdfast.history.build import Builder, Row
from holdfast.history.source import Reader, Source

_PLACE = re.compile(r"byte (\d+)")


class JsonArray:
    """An array of objects."""

    def fits(self, head: bytes) -> bool:
        """An array of objects with keys in quotes, or an empty one."""
        return re.match(rb'\s*\[\s*(\{\s*"|\]\s*$)', head) is not None

    def read(self, source: Source) -> Builder:
        """Read it whole; a row's line is where its object begins, if each is on a line."""
        builder, content = Builder(source.name, keys_are_text=True), source.whole()
        try:
            rows = msgspec.json.decode(content, type=list[Row])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise SpecError(f"no JSON array of rows: {error}", where=_where(source, content, error),
                            hint="mend it, or have the history written anew") from error
        builder.add(rows, _lines(content, len(rows)))
        return builder


def _lines(content: bytes, count: int) -> list[int]:
    """The lines of the rows, as well as they can be told without reading them all again."""
    starts = [n for n, line in enumerate(content.split(b"\n"), 1) if b"{" in line]
    return starts if len(starts) == count else [1] * count


def _where(source: Source, content: bytes, error: Exception) -> str:
    found = _PLACE.search(str(error))
    end = int(found.group(1)) if found else len(content)
    if isinstance(error, UnicodeDecodeError):  # its own place is that within one text
        end = _no_text(content)
    line = content.count(b"\n", 0, end) + 1
    return f"{source.name}: line {line}"


def _no_text(content: bytes) -> int:
    try:
        content.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        return error.start
    return len(content)


READER: Reader = JsonArray()
