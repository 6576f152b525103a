"""Walk through what each transaction did to each key, in order, for all of them at once."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from holdfast.checkers._dependency.txns import Bools, Txns
from holdfast.history.columns import Ints, Kind

_NONE = -1


@dataclass(frozen=True, slots=True)
class Groups:
    """Micro-operations sorted by transaction and key; within a group in their own order.

    What goes in and comes out is in the order of micro-operations; -1 says that there is none.
    """

    order: Ints
    first: Ints
    last: Ints
    number: Ints
    is_write: Bools
    size: int

    @classmethod
    def of(cls, txns: Txns, *, alone: bool = True) -> "Groups":
        """Sort them; those that are `alone` in their group can be left out, to go faster."""
        code = txns.txn * max(1, len(txns.keys)) + txns.key
        order = np.argsort(code, kind="stable")
        code = code[order]
        if not alone:
            same = code[1:] == code[:-1]
            kept = np.concatenate((same, [False])) | np.concatenate(([False], same))
            order, code = order[kept[:len(order)]], code[kept[:len(code)]]
        begins = np.concatenate((np.ones(1, bool), code[1:] != code[:-1]))[:len(code)]
        at, number = np.arange(len(code)), np.cumsum(begins) - 1
        first = np.maximum.accumulate(np.where(begins, at, 0))
        ends = np.concatenate((np.flatnonzero(begins)[1:], [len(code)])) - 1
        last = ends[number] if len(code) else at
        is_write = txns.kind[order] != Kind.READ
        return cls(order, first, last, number, is_write, len(txns.txn))

    def _back(self, values: Ints, otherwise: int = _NONE) -> Ints:
        out = np.full(self.size, otherwise)
        out[self.order] = values
        return out

    def _before(self, chosen: Bools) -> Ints:
        """The nearest chosen place before each place, in its group."""
        at = np.maximum.accumulate(np.where(chosen, np.arange(len(chosen)), _NONE))
        at = np.concatenate(([_NONE], at))[:len(chosen)]
        return cast(Ints, np.where(at >= self.first, at, _NONE))

    def _after(self, chosen: Bools) -> Ints:
        """The nearest chosen place after each place, in its group."""
        size = len(chosen)
        at = np.minimum.accumulate(np.where(chosen, np.arange(size), size)[::-1])[::-1]
        at = np.concatenate((at, [size]))[1:]
        return cast(Ints, np.where(at <= self.last, at, _NONE))

    def _ops(self, places: Ints) -> Ints:
        return cast(Ints, np.where(places >= 0, self.order[places], _NONE))

    @property
    def is_followed(self) -> Bools:
        """Which micro-operations come before a later write of the same transaction to the key."""
        return self._back(self._after(self.is_write)) >= 0

    @property
    def is_write_op(self) -> Bools:
        """Which micro-operations write."""
        found = np.zeros(self.size, dtype=bool)
        found[self.order] = self.is_write
        return found

    def before(self, chosen: Bools) -> Ints:
        """The nearest chosen micro-operation before each, of the same transaction and key."""
        return self._back(self._ops(self._before(chosen[self.order])))

    def read_before(self, is_read: Bools) -> tuple[Ints, Ints]:
        """The read before each micro-operation, and how many writes lie between."""
        before = self._before(is_read[self.order])
        written = np.cumsum(self.is_write)
        between = np.where(before >= 0, written - written[before], 0)
        return self._back(self._ops(before)), self._back(between, 0)

    def read_after(self, is_read: Bools) -> tuple[Ints, Ints]:
        """The read after each micro-operation, and how many writes there are from here to it."""
        after = self._after(is_read[self.order])
        written = np.cumsum(self.is_write)
        until = np.where(after >= 0, written[after] - written + self.is_write, 0)
        return self._back(self._ops(after)), self._back(until, 0)

    def read_then_append(self, is_read: Bools) -> Ints:
        """The first read of each group that has a write after it."""
        chosen = is_read[self.order]
        is_first = chosen & (self._before(chosen) < 0)
        return self.order[is_first & (self._after(self.is_write) >= 0)]

    def longest_before(self, length: Ints) -> Ints:
        """The greatest length before each micro-operation, in its group; at least 0."""
        widest = int(length.max(initial=0)) + 1
        most = np.maximum.accumulate(self.number * widest + length[self.order])
        most = np.concatenate(([0], most))[:len(self.order)]
        mine = most // widest == self.number
        return self._back(np.where(mine, most % widest, 0), 0)

    def latest(self, chosen: Bools) -> Ints:
        """The last chosen micro-operation of each group that has one."""
        flags = chosen[self.order]
        return self.order[flags & (self._after(flags) < 0)]

    def earliest(self, chosen: Bools) -> Ints:
        """The first chosen micro-operation of each group that has one."""
        flags = chosen[self.order]
        return self.order[flags & (self._before(flags) < 0)]
