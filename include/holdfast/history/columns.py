"""A history as columns: numbers in arrays, everything else by its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

INVOKE, OK, FAIL, INFO = range(4)
"""Codes of `History.type`: `fail` did not happen, of `info` nobody knows."""

TYPES = ("invoke", "ok", "fail", "info")

NEMESIS = -1
"""The process of rows that no client wrote: who breaks things. They have no pair."""

NO_TIME = int(np.iinfo(np.int64).min)
"""The time of a row that tells none."""

ATOMS = 1 << 62
"""Integers below this (and above its negative) are their own code."""

NIL = ATOMS
"""The code of nothing."""


class Shape(IntEnum):
    """What a value is."""

    NIL = 0
    ATOM = 1
    LIST = 2  # a vector or a set, by its elements' codes
    MAP = 3  # key, value, key, value, by their codes
    TXN = 4  # micro-operations; see Transactions


class Kind(IntEnum):
    """What a micro-operation does."""

    APPEND = 0
    READ = 1
    WRITE = 2


@dataclass(frozen=True, slots=True)
class Atoms:
    """What codes from ATOMS on stand for, as canonical EDN text; the first is `nil`."""

    table: Sequence[str] = ("nil",)

    def text(self, code: int) -> str:
        """Write a value for people."""
        return self.table[code - ATOMS] if code >= ATOMS else str(code)

    def value(self, code: int) -> Any:
        """Give the value itself: an int, str, float, bool, list or None."""
        from holdfast.history.edn import parse

        return parse(self.table[code - ATOMS]) if code >= ATOMS else code


@dataclass(frozen=True, slots=True)
class Transactions:
    """The micro-operations of all rows, invocations and completions alike, as they are written.

    Those of row `i` are `offsets[i]` to `offsets[i + 1]`, in the order of their positions; rows
    whose value is no transaction, and empty transactions, have none. An ok row holds what was
    read; of an info row only the invocation (`History.pair`) need tell what was tried.

    `kind` (Kind), `key` (code), `shape`: NIL (nothing was read, or the file does not tell), ATOM
    (`atom` is the code of the element appended or written, or of the one value read), or LIST (the
    codes read are `reads[read_offsets[j]:read_offsets[j + 1]]`; an empty list is a LIST too).
    """

    offsets: Ints
    kind: Bytes
    key: Ints
    shape: Bytes
    atom: Ints
    read_offsets: Ints
    reads: Ints


@dataclass(frozen=True, slots=True)
class History:
    """Rows in the order in which they happened, one for each invocation and completion.

    `index` is the file's number of the row, `process` the client (NEMESIS: none; other negative
    ids stand alone: the file names no process), `type` one of INVOKE, OK, FAIL, INFO, `f` a number
    in `fs`, `time_ns` a monotonic clock's or NO_TIME. `pair` is the position (not the index) of the
    row's completion or invocation, -1 without one: such an invocation counts as `info`.

    `key` is the code of the row's own key or NIL. Its value has a `shape`: an ATOM is in `atom`
    (NIL elsewhere), a LIST or MAP is `items[item_offsets[i]:item_offsets[i + 1]]`, a TXN is in
    `transactions`. A code below ATOMS is that integer; `atoms` tells the others; equal codes are
    equal values. With `is_ordered` false the order of rows of different processes means nothing.
    """

    index: Ints
    process: NDArray[np.int32]
    type: Bytes
    f: Bytes
    time_ns: Ints
    pair: Ints
    key: Ints
    shape: Bytes
    atom: Ints
    item_offsets: Ints
    items: Ints
    transactions: Transactions
    fs: Sequence[str] = ()
    atoms: Atoms = Atoms()
    is_ordered: bool = True

    def __len__(self) -> int:
        return len(self.index)

    @property
    def invocations(self) -> Ints:
        """Positions of all that clients sent."""
        return np.flatnonzero((self.type == INVOKE) & (self.process != NEMESIS))

    def outcomes(self, invocations: Ints) -> Bytes:
        """What became of each: OK, FAIL or INFO, the last also without a completion."""
        pairs = self.pair[invocations]
        return np.where(pairs < 0, np.uint8(INFO), self.type[pairs])

    def are(self, *names: str) -> NDArray[np.bool_]:
        """Which rows have one of these `f`."""
        return np.isin(self.f, [n for n, f in enumerate(self.fs) if f in names])

    def list_of(self, row: int) -> Ints:
        """The codes of a row's LIST or MAP."""
        return self.items[self.item_offsets[row]:self.item_offsets[row + 1]]
