"""Transactions that append to lists and read them: the order of all that was written is seen."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, LiteralString

from holdfast.ports.workloads import Ask, Sent

_LIVE = 5
_LONGEST = 64
"""Appends to a key before a new one takes its place."""
_MOST = 4
_AT_ONCE = 8


class ListAppend:
    """One to four appends and reads of five keys in a transaction.

    The list-append workload of Elle (Kingsbury and Alvaro, VLDB 2020). Elements of a key are
    numbered from 1 on, so no two appends are alike.
    """

    stores: Sequence[str] = ("postgres",)
    checker = "list_append"
    also: Sequence[str] = ()
    options: Mapping[str, Any] = {"model": "strict-serializable"}
    tables: Sequence[LiteralString] = (
        "CREATE TABLE lists (key bigint PRIMARY KEY, elements bigint[] NOT NULL)",
    )

    def __init__(self, random: Random) -> None:
        self._random = random
        self._live = list(range(_LIVE))
        self._used = _LIVE
        self._length = dict.fromkeys(self._live, 0)

    def next(self) -> Sent:
        """Appends and reads, about as many of each; in one order of the lists: no deadlocks."""
        slots = sorted(self._random.choices(range(_LIVE), k=self._random.randint(1, _MOST)))
        return Sent("txn", [self._one(slot) for slot in slots])

    def _one(self, slot: int) -> list[Any]:
        key = self._live[slot]
        if self._random.random() < 0.5:
            return ["r", key, None]
        self._length[key] += 1
        element = self._length[key]
        if element == _LONGEST:
            self._live[slot] = self._used
            self._length[self._used] = 0
            self._used += 1
        return ["append", key, element]

    def send(self, ask: Ask, sent: Sent) -> Any:
        """One statement for each."""
        return [self._do(ask, *one) for one in sent.value]

    def _do(self, ask: Ask, kind: str, key: int, element: int | None) -> list[Any]:
        if kind == "append":
            ask("INSERT INTO lists VALUES (%s, ARRAY[%s::bigint]) ON CONFLICT (key) DO UPDATE "
                "SET elements = lists.elements || excluded.elements", key, element)
            return [kind, key, element]
        rows = ask("SELECT elements FROM lists WHERE key = %s", key)
        return [kind, key, rows[0][0] if rows else []]

    def last(self) -> Sequence[Sent]:
        """Every key, a few in a transaction."""
        keys = range(self._used)
        parts = [keys[first:first + _AT_ONCE] for first in keys[::_AT_ONCE]]
        return [Sent("txn", [["r", key, None] for key in part]) for part in parts]


WORKLOAD = ListAppend
