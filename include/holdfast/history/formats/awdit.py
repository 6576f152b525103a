"""Test text of AWDIT: a read or write a line, ----- between transactions, ===== sessions."""

import re
from collections.abc import Iterator
from typing import Any

from holdfast.errors import SpecError
from holdfast.history.build import Builder
from holdfast.history.formats._sessions import Transaction, built
from holdfast.history.source import Reader, Source

_LINE = re.compile(r"\s*([rw])\s+(-?\d{1,18})\s+(-?\d{1,18}|\?)\s*")
_HINT = "a line is 'r key value', 'w key value', ----- or ====="


class Awdit:
    """Reads and writes of committed transactions, in their sessions."""

    def fits(self, head: bytes) -> bool:
        """A read, a write, or a line between sessions."""
        return re.match(rb"\s*([rw]\s+-?\d+\s+|=====|-----)", head) is not None

    def read(self, source: Source) -> Builder:
        """Read it by transactions."""
        return built(source.name, _transactions(source))


def _transactions(source: Source) -> Iterator[Transaction]:
    text = source.whole().decode("utf-8", "replace")
    begun, session, micros = 1, 0, list[list[Any]]()
    for number, line in enumerate(text.split("\n"), 1):
        rule = line.strip()
        if rule and not rule.strip("-=") and len(rule) > 2:
            if micros:
                yield begun, session, micros
            begun, micros = number + 1, []
            session += rule[0] == "="
        elif rule:
            parts = _LINE.fullmatch(line)
            if parts is None:
                raise SpecError("damaged", where=f"{source.name}: line {number}", hint=_HINT)
            kind, key, value = parts.groups()
            micros.append([kind, int(key), None if value == "?" else int(value)])
    if micros:
        yield begun, session, micros


READER: Reader = Awdit()
