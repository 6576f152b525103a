"""Elements that are added once, and reads of all: an acknowledged one must be there."""

from collections.abc import Mapping, Sequence
from itertools import count
from random import Random
from typing import Any, LiteralString

from holdfast.ports.workloads import Ask, Sent

_READS = 0.05


class Set:
    """Numbers from 0 on, each added once; every twentieth operation reads all."""

    stores: Sequence[str] = ("postgres", "redis")
    checker = "set_full"
    also: Sequence[str] = ("lost_writes", "set")
    options: Mapping[str, Any] = {}
    tables: Sequence[LiteralString] = ("CREATE TABLE elements (element bigint NOT NULL)",)

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers = count()

    def next(self) -> Sent:
        """Mostly additions."""
        if self._random.random() < _READS:
            return Sent("read", None)
        return Sent("add", next(self._numbers))

    def send(self, ask: Ask, sent: Sent) -> Any:
        """One statement."""
        if sent.f == "read":
            return sorted(row[0] for row in ask("SELECT element FROM elements"))
        ask("INSERT INTO elements VALUES (%s)", sent.value)
        return sent.value

    def last(self) -> Sequence[Sent]:
        """All elements."""
        return [Sent("read", None)]


WORKLOAD = Set
