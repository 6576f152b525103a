"""Text of Plume and IsoVista: r(key,value,session,transaction), one a line."""

import re
from collections.abc import Iterator
from typing import Any

from holdfast.errors import SpecError
from holdfast.history.build import Builder
from holdfast.history.formats._sessions import Transaction, built
from holdfast.history.source import Reader, Source

_LINE = re.compile(r"\s*([rw])\(\s*(-?\d+)\s*,\s*(-?\d+|null|nil)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)\s*")
_HINT = "each line is r(key,value,session,transaction) or w(...)"
_LONGEST = 18


class Plume:
    """Reads and writes of committed transactions, by session and transaction."""

    def fits(self, head: bytes) -> bool:
        """A read or a write in this form."""
        return re.match(rb"\s*[rw]\(\s*-?\d+\s*,", head) is not None

    def read(self, source: Source) -> Builder:
        """Read it by transactions, in the order of their first lines."""
        return built(source.name, _transactions(source))


def _transactions(source: Source) -> Iterator[Transaction]:
    found: dict[tuple[int, int], tuple[int, list[list[Any]]]] = {}
    text = source.whole().decode("utf-8", "replace")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        parts = _LINE.fullmatch(line)
        if parts is None or max(map(len, parts.groups())) > _LONGEST:
            raise SpecError("damaged", where=f"{source.name}: line {number}", hint=_HINT)
        kind, key, value, session, transaction = parts.groups()
        what = None if value in ("null", "nil") else int(value)
        found.setdefault((int(session), int(transaction)), (number, []))[1].append(
            [kind, int(key), what])
    for (session, _), (number, micros) in found.items():
        yield number, session, micros


READER: Reader = Plume()
