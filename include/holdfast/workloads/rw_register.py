"""Transactions that read registers and write them anew: a lost update is seen at once."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, LiteralString

from holdfast.ports.workloads import Ask, Sent

_LIVE = 4
_LONGEST = 100
_AT_ONCE = 8


class RwRegister:
    """Read a register, then write a value that was never written: as an application counts.

    Each write follows a read of its key in the same transaction, so the checker knows which value
    came before which. Every third transaction only reads.
    """

    stores: Sequence[str] = ("postgres",)
    checker = "rw_register"
    also: Sequence[str] = ()
    options: Mapping[str, Any] = {"model": "strict-serializable"}
    tables: Sequence[LiteralString] = (
        "CREATE TABLE registers (key bigint PRIMARY KEY, value bigint NOT NULL)",
    )

    def __init__(self, random: Random) -> None:
        self._random = random
        self._live = list(range(_LIVE))
        self._used = _LIVE
        self._written = dict.fromkeys(self._live, 0)

    def next(self) -> Sent:
        """One or two registers, always in the same order: no deadlocks."""
        slots = sorted(self._random.sample(range(_LIVE), self._random.randint(1, 2)))
        if self._random.random() < 1 / 3:
            return Sent("txn", [["r", self._live[slot], None] for slot in slots])
        return Sent("txn", [one for slot in slots for one in self._update(slot)])

    def _update(self, slot: int) -> list[list[Any]]:
        key = self._live[slot]
        self._written[key] += 1
        value = self._written[key]
        if value == _LONGEST:
            self._live[slot] = self._used
            self._written[self._used] = 0
            self._used += 1
        return [["r", key, None], ["w", key, value]]

    def send(self, ask: Ask, sent: Sent) -> Any:
        """One statement for each."""
        return [self._do(ask, *one) for one in sent.value]

    def _do(self, ask: Ask, kind: str, key: int, value: int | None) -> list[Any]:
        if kind == "w":
            ask("INSERT INTO registers VALUES (%s, %s) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
            return [kind, key, value]
        rows = ask("SELECT value FROM registers WHERE key = %s", key)
        return [kind, key, rows[0][0] if rows else None]

    def last(self) -> Sequence[Sent]:
        """Every register, a few in a transaction."""
        keys = range(self._used)
        parts = [keys[first:first + _AT_ONCE] for first in keys[::_AT_ONCE]]
        return [Sent("txn", [["r", key, None] for key in part]) for part in parts]


WORKLOAD = RwRegister
