"""Histories for tests: written as short words, read as files are."""

import json
from pathlib import Path

from holdfast.history.build import Builder, Row
from holdfast.registry import Registry

NEXT = 1_000_000


def history(*rows):
    """Build one of (process, type, f, value) rows, a millisecond apart."""
    builder = Builder("history")
    for n, (process, kind, f, value) in enumerate(rows):
        row = Row(type=kind, process=process, f=f, value=value, time=n * NEXT, index=n)
        builder.add([row], [n + 1])
    return builder.history()


def done(process, f, asked, told=None, kind="ok"):
    """An operation that nothing else overlaps: two rows."""
    return [(process, "invoke", f, asked), (process, kind, f, asked if told is None else told)]


def lines(*rows):
    """The same rows as text, one JSON object a line."""
    return "".join(json.dumps({
        "index": n, "time": n * NEXT, "type": kind, "process": process, "f": f, "value": value,
    }) + "\n" for n, (process, kind, f, value) in enumerate(rows))


def judged(name, rows, **options):
    """Judge rows by the checker of that name."""
    checker = Registry("checkers", "CHECKER")[name]
    return checker.judge(history(*rows), checker.options(**options))


def cases(folder: Path):
    """The files of a folder with what its index says of them."""
    head, *rows = (folder / "index.tsv").read_text().splitlines()
    names = head.split("\t")
    return [dict(zip(names, row.split("\t"), strict=False)) for row in rows]
