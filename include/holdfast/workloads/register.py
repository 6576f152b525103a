"""Registers that are read, written, and changed if they hold what is expected."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, LiteralString

from holdfast.history.recorder import Refused
from holdfast.ports.workloads import Ask, Sent

_LIVE = 3
_LONGEST = 150
"""Operations on a key before a new one takes its place: what is unknown of it costs the search."""
_VALUES = 5


class Register:
    """Three registers at a time with values 0 to 4; half of the operations read."""

    stores: Sequence[str] = ("postgres", "redis")
    checker = "cas_register"
    also: Sequence[str] = ("register",)
    options: Mapping[str, Any] = {}
    tables: Sequence[LiteralString] = (
        "CREATE TABLE registers (key bigint PRIMARY KEY, value bigint NOT NULL)",
    )

    def __init__(self, random: Random) -> None:
        self._random = random
        self._live = list(range(_LIVE))
        self._used = _LIVE
        self._asked = dict.fromkeys(self._live, 0)

    def next(self) -> Sent:
        """Values are `[key value]`, so that each register is judged by itself."""
        key = self._key()
        f = self._random.choice(("read", "read", "write", "cas"))
        value = [self._random.randrange(_VALUES) for _ in range(2)]
        return Sent(f, [key, {"read": None, "write": value[0], "cas": value}[f]])

    def _key(self) -> int:
        slot = self._random.randrange(_LIVE)
        key = self._live[slot]
        self._asked[key] += 1
        if self._asked[key] == _LONGEST:
            self._live[slot] = self._used
            self._asked[self._used] = 0
            self._used += 1
        return key

    def send(self, ask: Ask, sent: Sent) -> Any:
        """One statement; a change that finds another value is refused."""
        key, value = sent.value
        if sent.f == "read":
            rows = ask("SELECT value FROM registers WHERE key = %s", key)
            return [key, rows[0][0] if rows else None]
        if sent.f == "write":
            ask("INSERT INTO registers VALUES (%s, %s) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
        elif not ask("UPDATE registers SET value = %s WHERE key = %s AND value = %s RETURNING key",
                     value[1], key, value[0]):
            raise Refused("it holds another value")
        return [key, value]

    def last(self) -> Sequence[Sent]:
        """Every register."""
        return [Sent("read", [key, None]) for key in range(self._used)]


WORKLOAD = Register
