"""Histories of transactions, written in a few letters or as rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from holdfast.history.columns import (
    ATOMS,
    NIL,
    NO_TIME,
    TYPES,
    Atoms,
    History,
    Kind,
    Shape,
    Transactions,
)

KINDS = {"append": Kind.APPEND, "r": Kind.READ, "w": Kind.WRITE}


class _Codes:
    def __init__(self) -> None:
        self.table = ["nil"]

    def __call__(self, value: object) -> int:
        if value is None:
            return NIL
        if isinstance(value, int):
            return value
        if value not in self.table:
            self.table.append(str(value))
        return ATOMS + self.table.index(str(value))


def ints(values):
    return np.array(values, dtype=np.int64)


def from_rows(rows: Iterable[Mapping[str, Any]], is_ordered: bool = True) -> History:
    """Columns of rows with Jepsen's field names, values being transactions."""
    rows, code = list(rows), _Codes()
    offsets, ops, reads, read_offsets = [0], [], [], [0]
    pair, waiting = [-1] * len(rows), {}
    for at, row in enumerate(rows):
        if row["type"] == "invoke":
            waiting[row["process"]] = at
        elif row["process"] in waiting:
            pair[at] = waiting.pop(row["process"])
            pair[pair[at]] = at
        for f, key, *rest in row["value"] or ():
            value = rest[0] if rest else None
            shape = (Shape.NIL if value is None else Shape.LIST if isinstance(value, list)
                     else Shape.ATOM)
            ops.append((KINDS[f], code(key), shape, code(value) if shape == Shape.ATOM else NIL))
            reads += [code(v) for v in value] if shape == Shape.LIST else []
            read_offsets.append(len(reads))
        offsets.append(len(ops))
    kind, key, shape, atom = (list(c) for c in zip(*ops, strict=True)) if ops else ([], [], [], [])
    size = len(rows)
    return History(
        index=ints([r.get("index", n) for n, r in enumerate(rows)]),
        process=np.array([r["process"] for r in rows], dtype=np.int32),
        type=np.array([TYPES.index(r["type"]) for r in rows], dtype=np.uint8),
        f=np.zeros(size, dtype=np.uint8),
        time_ns=ints([r.get("time", NO_TIME) for r in rows]), pair=ints(pair),
        key=np.full(size, NIL), shape=np.full(size, Shape.TXN, dtype=np.uint8),
        atom=np.full(size, NIL), item_offsets=np.zeros(size + 1, dtype=np.int64), items=ints([]),
        transactions=Transactions(
            ints(offsets), np.array(kind, dtype=np.uint8), ints(key),
            np.array(shape, dtype=np.uint8), ints(atom), ints(read_offsets), ints(reads)),
        fs=("txn",), atoms=Atoms(tuple(code.table)), is_ordered=is_ordered,
    )


def ops(text: str) -> list[list[Any]]:
    """Micro-operations: `ax1` appends, `wx1` writes, `rx1` and `rx12` read, `rx` reads nothing.

    For lists, `rx[12]` reads elements 1 and 2.
    """
    found = []
    for f, key, digits, listed in re.findall(r"([arw])([a-z])(?:(\d+)|\[(\d*)\])?", text):
        value: Any = int(digits) if digits else None
        if f == "r" and listed:
            value = [int(d) for d in listed]
        found.append([{"a": "append"}.get(f, f), key, value])
    return found


def steps(*lines: str) -> History:
    """A history by lines `process type micro-operations`, such as `0 invoke ax1 ry`."""
    rows = []
    for at, line in enumerate(lines):
        process, kind, *rest = line.split(maxsplit=2)
        rows.append({"index": at, "type": kind, "process": int(process), "value": ops(*rest)})
    return from_rows(rows)


def together(*texts: str) -> History:
    """Transactions that all went on at the same time, each of a process of its own.

    One that begins with `fail` or `info` ended so.
    """
    begun, ended = [], []
    for process, text in enumerate(texts):
        kind = next((k for k in ("fail", "info") if text.startswith(k)), "ok")
        did = ops(text.removeprefix(kind))
        tried = [[f, k, None if f == "r" else v] for f, k, v in did]
        begun.append({"type": "invoke", "process": process, "value": tried})
        ended.append({"type": kind, "process": process, "value": did})
    return from_rows(begun + ended)


def in_turn(*texts: str, processes: Sequence[int] = ()) -> History:
    """Transactions one after the other, of process 0 unless told otherwise."""
    rows = []
    for at, text in enumerate(texts):
        process = processes[at] if processes else 0
        kind = next((k for k in ("fail", "info") if text.startswith(k)), "ok")
        did = ops(text.removeprefix(kind))
        tried = [[f, k, None if f == "r" else v] for f, k, v in did]
        rows += [{"type": "invoke", "process": process, "value": tried},
                 {"type": kind, "process": process, "value": did}]
    return from_rows(rows)
