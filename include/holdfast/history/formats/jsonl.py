"""JSON, one row a line, with Jepsen's field names: Holdfast's own format."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from holdfast.history.build import Builder, Row
from holdfast.history.source import Reader, Source

_DECODER = msgspec.json.Decoder(Row)
_DECODE = _DECODER.decode
_TORN = "the file was cut there: leave its last line out, and the operation counts as unknown"


class JsonLines:
    """One JSON object a line."""

    def fits(self, head: bytes) -> bool:
        """An object, its keys in quotes."""
        return re.match(rb'\s*\{\s*"', head) is not None

    def read(self, source: Source) -> Builder:
        """Read it chunk by chunk: nothing of a row is kept but its columns."""
        builder, line = Builder(source.name, keys_are_text=True), 1
        for chunk in source.chunks():
            rows, lines = self._rows(builder, chunk, line)
            builder.add(rows, lines, plain=b"true" not in chunk and b"false" not in chunk)
            line += chunk.count(b"\n")
        return builder

    def _rows(
        self, builder: Builder, chunk: bytes, line: int
    ) -> tuple[Sequence[Row], Sequence[int]]:
        try:
            rows = _DECODER.decode_lines(chunk)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            self._find(builder, chunk, line)
            raise
        if len(rows) == chunk.count(b"\n") + (not chunk.endswith(b"\n")):
            return rows, range(line, line + len(rows))
        return rows, list(self._filled(chunk, line))

    def _filled(self, chunk: bytes, line: int) -> Iterator[int]:
        """The numbers of lines that are not blank."""
        return (n for n, one in enumerate(chunk.split(b"\n"), line) if one.strip())

    def _find(self, builder: Builder, chunk: bytes, line: int) -> None:
        """Name the line that is damaged."""
        for number, one in enumerate(chunk.split(b"\n"), line):
            try:
                if one.strip():
                    _DECODE(one)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
                is_torn = number == line + chunk.count(b"\n")
                hint = {"hint": _TORN} if is_torn else {}
                raise builder.wrong(number, f"damaged: {error}", **hint) from error


READER: Reader = JsonLines()
