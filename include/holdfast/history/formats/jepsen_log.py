"""Jepsen's printed log: process, type, f and value in one line, as porcupine's etcd files."""

import re

from holdfast.history.build import Builder, Row
from holdfast.history.edn import EdnError, Keyword, forms
from holdfast.history.source import Reader, Source

_LINE = re.compile(
    r"(?:.*\bjepsen\S*\s+-\s+)?(\d+|:?nemesis)\s+:(invoke|ok|fail|info)\s+:([\w-]+)\s*(.*)"
)
_BEGUN = re.compile(r".*\bjepsen\S*\s+-\s+(\d+|:?nemesis)\s+:")
"""So only operations begin: what goes on otherwise is damaged."""
_NOISE = re.compile(r"\S*\s*(INFO|WARN|ERROR|DEBUG|TRACE)\b")
_NO_TEXT = re.compile("[\udc80-\udcff]")
_FIRST = re.compile(rb"\s*(INFO.*jepsen\S*\s+-|\d+\s+:(invoke|ok|fail|info)\s)")


class JepsenLog:
    """Lines of operations; lines of the log about anything else are read over."""

    def fits(self, head: bytes) -> bool:
        """A line of an operation, with or without the log's own words before it."""
        return _FIRST.match(head) is not None

    def read(self, source: Source) -> Builder:
        """Read it line by line."""
        builder, begun = Builder(source.name), 1
        for chunk in source.chunks():
            text = chunk.decode("utf-8", "surrogateescape")
            for number, line in enumerate(text.split("\n"), begun):
                _take(builder, line, number)
            begun += chunk.count(b"\n")
        return builder


def _take(builder: Builder, line: str, number: int) -> None:
    found = _LINE.fullmatch(line)
    if found is None:
        if line.strip() and (_BEGUN.match(line) or not _NOISE.match(line)):
            raise builder.wrong(number, "no operation")
        return
    if _NO_TEXT.search(line):
        raise builder.wrong(number, "no UTF-8 text")
    process, kind, f, rest = found.groups()
    try:  # the value, then perhaps an error
        value = next((value for _, value in forms(f"({rest}\n)")), None)
    except EdnError as error:
        raise builder.wrong(number, f"damaged: {error}") from error
    if isinstance(value, Keyword):
        value = None  # `:timed-out`: why nobody knows
    is_number = re.fullmatch(r"[0-9]{1,18}", process)
    builder.add([Row(
        type=kind, f=f, value=value, process=int(process) if is_number else process,
    )], [number])


READER: Reader = JepsenLog()
