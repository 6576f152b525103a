"""A counter shows no less than was acknowledged and no more than was tried."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from holdfast.checkers._history import complaint, ended, only, seen
from holdfast.checkers._keyed import Keyed
from holdfast.errors import CheckError
from holdfast.history.columns import ATOMS, FAIL, OK, History, Ints, Shape
from holdfast.ports.checkers import Checked, KeyedChecker

ENOUGH = 10
"""Acknowledged additions from which a history without a read counts as one that holds."""

_WIDE = 1 << 61
"""From here on sums are of Python's own integers, which have no end."""


class Counter(Keyed):
    """`out-of-bounds`: a read below what must have been added by then, or above what can have been.

    The promise is about what reads show. Where many additions and no read were made it holds, as it
    does for Jepsen's counter, and the text says that nothing was read.
    """

    def fits(self, history: History) -> None:
        """Refuse other operations."""
        only(history, "counter", "add", "read")

    def one(self, part: History, options: Any) -> Checked:  # noqa: ARG002 - the room's own shape
        """Hold each read against its bounds."""
        return _judged(part)


def _judged(history: History) -> Checked:
    reads = ended(history, OK, "read")
    done = history.pair[reads]
    reads, done = reads[history.shape[done] != Shape.NIL], done[history.shape[done] != Shape.NIL]
    counts = seen(history) | {"adds": int(history.are("add")[history.invocations].sum()),
                              "reads": len(reads)}
    if not len(reads):
        return _unread(history, counts)
    low, high = _bounds(history, reads, done)
    value = _numbers(history, done)
    wrong = np.flatnonzero((value < low) | (value > high))
    found = [f"{value[n]} instead of {low[n]} to {high[n]} (index {history.index[done[n]]})"
             for n in wrong.tolist()]
    if not found:
        return Checked("valid", f"all {len(reads)} reads are within their bounds", counts,
                       {"out-of-bounds": []})
    off = np.maximum(low - value, value - high)[wrong]
    anomalies = {"out-of-bounds": found}
    return Checked("invalid", complaint(anomalies), counts | {"out-of-bounds": len(found)},
                   anomalies, {"out-of-bounds": found[int(np.argmax(off))]})


def _unread(history: History, counts: Mapping[str, int]) -> Checked:
    acknowledged = len(ended(history, OK, "add"))
    text = f"the counter was never read; {acknowledged} additions were acknowledged"
    return Checked("valid" if acknowledged >= ENOUGH else "unknown", text, counts)


def _bounds(history: History, begun: Ints, done: Ints) -> tuple[Ints, Ints]:
    """The least and the most that each read may show.

    Additions are sure when acknowledged before it begins, and possible when sent before it ends.
    """
    adds = history.invocations
    adds = adds[history.are("add")[adds]]
    outcome = history.outcomes(adds)
    amount = _numbers(history, adds)
    kind = np.int64 if np.abs(amount).sum(dtype=np.float64) < _WIDE else object
    sure, maybe = np.zeros(len(history) + 1, kind), np.zeros(len(history) + 1, kind)
    tried = outcome != FAIL
    sure[history.pair[adds[outcome == OK]] + 1] = amount[outcome == OK]
    maybe[adds[tried] + 1] = amount[tried]

    def total(column: Ints, sign: int, rows: Ints) -> Ints:
        return np.cumsum(np.where(column * sign > 0, column, 0))[rows]

    low = total(sure, 1, begun) + total(maybe, -1, done)
    high = total(maybe, 1, done) + total(sure, -1, begun)
    return low, high


def _numbers(history: History, rows: Ints) -> Ints:
    odd = rows[(history.shape[rows] != Shape.ATOM) | (history.atom[rows] >= ATOMS)]
    if len(odd):
        raise CheckError(f"the value of index {int(history.index[odd[0]])} is no whole number")
    return history.atom[rows]


CHECKER: KeyedChecker = Counter()
