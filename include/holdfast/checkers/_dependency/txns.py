"""One entry for each transaction: what it tried, what it read, when, and what became of it."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CheckError
from holdfast.history.columns import INVOKE, NO_TIME, OK, Bytes, History, Ints, Kind, Shape

Bools = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
"""When a transaction ended of which nobody knows that it did."""


@dataclass(frozen=True, slots=True)
class Txns:
    """Transactions in the order in which they began, and their micro-operations in theirs.

    `row` is where the history says what a transaction did, `sent` where it was sent.
    `begin` and `end` are moments: one came before another only if its end is less than the other's
    begin; `end` is NEVER for one that may still be going on. Reads count only where they are
    `told`: in completions.
    """

    history: History
    row: Ints
    sent: Ints
    outcome: Bytes
    process: Ints
    begin: Ints
    end: Ints
    txn: Ints
    kind: Bytes
    key: Ints
    keys: Ints
    atom: Ints
    shape: Bytes
    low: Ints
    high: Ints
    told: Bools

    def __len__(self) -> int:
        return len(self.row)

    @property
    def is_ok(self) -> Bools:
        """Which transactions were acknowledged."""
        return cast(Bools, self.outcome == OK)

    def of(self, txn: int) -> range:
        """The micro-operations of one transaction."""
        first, last = np.searchsorted(self.txn, [txn, txn + 1])
        return range(int(first), int(last))

    def read(self, op: int) -> list[int]:
        """The codes that a read saw."""
        if self.shape[op] == Shape.ATOM:
            return [int(self.atom[op])]
        return [int(code) for code in self.history.transactions.reads[self.low[op]:self.high[op]]]


def transactions(history: History, kinds: tuple[Kind, Kind]) -> Txns:
    """Join invocations with their completions; refuse other micro-operations than these two."""
    sent = history.invocations
    sent = sent[(history.shape[sent] == Shape.TXN) | _ends_in_txn(history, sent)]
    if not len(sent):
        raise CheckError("the history holds no transactions")
    pair, outcome = history.pair[sent], history.outcomes(sent)
    offsets = history.transactions.offsets
    has_ops = (pair >= 0) & (offsets[pair + 1] > offsets[pair])
    row = np.where(has_ops, pair, sent)
    count = offsets[row + 1] - offsets[row]
    ops = spans(offsets[row], count)
    txn = np.repeat(np.arange(len(row)), count)
    micro, moment = history.transactions, _moments(history)
    kind = micro.kind[ops]
    if not np.isin(kind, kinds).all():
        names = " and ".join(Kind(k).name.lower() for k in kinds)
        raise CheckError(f"the transactions hold other operations than {names}")
    keys, key = dense(micro.key[ops])
    return Txns(
        history, row, sent, outcome, history.process[sent].astype(np.int64), moment[sent],
        np.where(outcome == OK, moment[pair], NEVER), txn, kind, key, keys, micro.atom[ops],
        micro.shape[ops], micro.read_offsets[ops], micro.read_offsets[ops + 1],
        history.type[row][txn] != INVOKE,
    )


def _ends_in_txn(history: History, sent: Ints) -> Bools:
    pair = history.pair[sent]
    return cast(Bools, (pair >= 0) & (history.shape[pair] == Shape.TXN))


def _moments(history: History) -> Ints:
    """When each row was: rows of the same time have no order, unless all are of the same time."""
    step: Ints = np.diff(history.time_ns)
    if (history.time_ns == NO_TIME).any() or (step < 0).any() or not step.any():
        return np.arange(len(history))
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(step > 0)))


def spans(starts: Ints, counts: Ints) -> Ints:
    """Join ranges: `counts[i]` numbers from `starts[i]` on, one range after the other."""
    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    shifts: Ints = np.repeat(starts - before, counts)
    return np.arange(total, dtype=np.int64) + shifts


def dense(values: Ints) -> tuple[Ints, Ints]:
    """Number values from 0 on; small numbers are looked up instead of sorted."""
    if not len(values):
        return values, values
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1024:
        known, number = np.unique(values, return_inverse=True)
        return known, number.astype(np.int64, copy=False)
    there = np.zeros(high - low + 1, dtype=bool)
    there[values - low] = True
    number = np.cumsum(there) - 1
    return np.flatnonzero(there) + low, number[values - low]
