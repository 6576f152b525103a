"""What was added to a set and what was read from it, by the numbers of its elements."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.checkers._history import ended
from holdfast.checkers._register import value_text
from holdfast.errors import CheckError
from holdfast.history.columns import OK, Atoms, Bytes, History, Ints, Shape
from holdfast.history.edn import parse
from holdfast.history.values import Interner

READ = "read"
_LARGEST = 2 << 30
"""Bytes of memory for what was read."""


@dataclass(frozen=True, slots=True)
class Adds:
    """Each element that was tried to add: its code, when it was sent, and what became of it.

    Of several tries of one element the best outcome counts (ok, then info, then fail), and of
    those the earliest; `done` is the row of its acknowledgement, or -1. `atoms` tells the codes.
    """

    atoms: Atoms
    codes: Ints
    begun: Ints
    done: Ints
    outcome: Bytes

    @classmethod
    def of(cls, history: History) -> "Adds":
        """All that is no read is an addition; its value is the element."""
        rows = history.invocations
        rows = rows[~history.are(READ)[rows]]
        interner = Interner(history.atoms)
        codes, outcome = _elements(history, rows, interner.code), history.outcomes(rows)
        rank = np.array([0, 0, 2, 1], np.uint8)[outcome]
        order = np.lexsort((rows, rank, codes))
        codes, first = np.unique(codes[order], return_index=True)
        best = order[first]
        done = np.where(outcome[best] == OK, history.pair[rows[best]], -1)
        return cls(interner.atoms(), codes, rows[best], done, outcome[best])

    def __len__(self) -> int:
        return len(self.codes)

    def numbers(self) -> Callable[[Ints], Ints]:
        """Give the numbers of codes, -1 for those never added; by a table if they are dense."""
        codes = self.codes
        if not len(codes):
            return lambda found: np.full(len(found), -1, np.int64)
        low, span = int(codes[0]), int(codes[-1]) - int(codes[0]) + 1
        if span <= 4 * len(codes) + 1024:
            table = np.full(span + 2, -1, np.int64)
            table[codes - low] = np.arange(len(codes))
            return lambda found: table[np.clip(found - low, -1, span)]

        def sought(found: Ints) -> Ints:
            place = np.minimum(np.searchsorted(codes, found), len(codes) - 1)
            return np.where(codes[place] == found, place, -1)

        return sought


@dataclass(frozen=True, slots=True)
class Reads:
    """Successful reads in the order of the file.

    `present` holds for each read one bit for each element; `duplicated` and `unexpected` map codes
    that a read had twice, or that no addition explains, to the rows of the first such read and the
    last.
    """

    begun: Ints
    done: Ints
    present: NDArray[np.uint8]
    duplicated: Mapping[int, tuple[int, int]]
    unexpected: Mapping[int, tuple[int, int]]

    @classmethod
    def of(cls, history: History, adds: Adds) -> "Reads":
        """Read them all."""
        begun = ended(history, OK, READ)
        done = history.pair[begun]
        told = history.shape[done] != Shape.NIL
        begun, done = begun[told], done[told]
        numbers, wide = adds.numbers(), len(adds)
        if len(done) * wide > _LARGEST * 8:
            raise CheckError(f"{len(done)} reads of {wide} elements are too many to hold in "
                             "memory: split the history")
        present = np.zeros((len(done), (wide + 7) // 8), np.uint8)
        duplicated, unexpected = _Places(), _Places()
        for n, row in enumerate(done.tolist()):
            codes = _read(history, row)
            found = numbers(codes)
            known, there = found >= 0, np.zeros(wide, bool)
            there[found[known]] = True
            present[n] = np.packbits(there)
            strange = np.unique(codes[~known])
            unexpected.add(strange, row)
            if int(there.sum()) + len(strange) != len(codes):
                values, times = np.unique(codes, return_counts=True)
                duplicated.add(values[times > 1], row)
        return cls(begun, done, present, duplicated, unexpected)


class _Places(dict[int, tuple[int, int]]):
    """Where each code was seen first and last."""

    def add(self, codes: Ints, row: int) -> None:
        for code in codes.tolist():
            self[code] = (self.get(code, (row, row))[0], row)


def names(adds: Adds, codes: Iterable[int]) -> list[str]:
    """Write elements for people."""
    return [adds.atoms.text(int(code)) for code in codes]


def _elements(history: History, rows: Ints, code: Callable[[Any], int]) -> Ints:
    """The code of each row's element: an atom, a vector, or what stands under `key` in a map."""
    codes = history.atom[rows]
    odd = np.flatnonzero(history.shape[rows] != Shape.ATOM)
    for n in odd.tolist():
        row = int(rows[n])
        if history.shape[row] == Shape.NIL:
            raise CheckError(f"index {int(history.index[row])} does not tell what it adds")
        codes[n] = _under_key(history, row) if history.shape[row] == Shape.MAP \
            else code(parse(value_text(history, row)))
    return codes


def _under_key(history: History, row: int) -> int:
    told = history.list_of(row).tolist()
    for name, code in zip(told[::2], told[1::2], strict=True):
        if history.atoms.text(name) in ('"key"', ":key"):
            return int(code)
    raise CheckError(f"the mapping of index {int(history.index[row])} has no key")


def _read(history: History, row: int) -> Ints:
    if history.shape[row] != Shape.LIST:
        raise CheckError(f"the read of index {int(history.index[row])} gives no list of elements")
    return history.list_of(row)


