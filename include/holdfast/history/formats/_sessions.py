"""Histories that tell sessions and their transactions, and no times."""

from collections.abc import Iterator, Sequence
from typing import Any

from holdfast.history.build import Builder, Row

Transaction = tuple[int, int, Sequence[Sequence[Any]]]
"""Line, session, micro-operations."""


def built(name: str, transactions: Iterator[Transaction]) -> Builder:
    """Rows of committed transactions; those of different sessions stand in no order."""
    builder = Builder(name, is_ordered=False)
    for line, session, micros in transactions:
        asked = [[kind, key, None if kind == "r" else value] for kind, key, value in micros]
        builder.add([Row("invoke", session, "txn", asked), Row("ok", session, "txn", micros)],
                    [line, line])
    return builder
