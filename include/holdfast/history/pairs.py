"""Join each completion to its invocation, and refuse histories that contradict themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import SpecError
from holdfast.history.columns import INVOKE, NEMESIS, NO_TIME, Bytes, Ints

SLACK_NS = 1_000_000_000
"""How far back time may go from row to row: clients write their rows a little late."""

Wrong = Callable[[int, str], SpecError]


@dataclass(frozen=True, slots=True)
class Rows:
    """What is needed to pair rows; `line` is where each stands in the file."""

    line: Ints
    index: Ints
    process: NDArray[np.int32]
    type: Bytes
    f: Bytes
    time_ns: Ints


def paired(rows: Rows, wrong: Wrong, *, is_ordered: bool) -> Ints:
    """Give for each row the position of its other half, or -1."""
    _check_index(rows, wrong)
    if is_ordered:
        _check_time(rows, wrong)
    clients = np.flatnonzero(rows.process != NEMESIS)
    order = clients[np.argsort(rows.process[clients], kind="stable")]
    invokes = rows.type[order] == INVOKE
    follows = np.zeros(len(order), bool)
    follows[1:] = rows.process[order[1:]] == rows.process[order[:-1]]
    opened = np.zeros(len(order), bool)
    opened[1:] = invokes[:-1] & follows[1:]
    _check_turns(rows, order, invokes, opened, wrong)
    ends = np.flatnonzero(~invokes)
    pair = np.full(len(rows.index), -1, np.int64)
    pair[order[ends]] = order[ends - 1]
    pair[order[ends - 1]] = order[ends]
    _check_halves(rows, order[ends - 1], order[ends], wrong)
    return pair


def _check_index(rows: Rows, wrong: Wrong) -> None:
    falls = np.flatnonzero(np.diff(rows.index) <= 0)
    if not len(falls):
        return
    row = int(falls[0]) + 1
    index = int(rows.index[row])
    earlier = np.flatnonzero(rows.index[:row] == index)
    if len(earlier):
        raise wrong(_line(rows, row), f"index {index} is there already, at line "
                                      f"{_line(rows, earlier[0])}")
    raise wrong(_line(rows, row), f"index {index} comes after {int(rows.index[row - 1])}")


def _check_time(rows: Rows, wrong: Wrong) -> None:
    timed = np.flatnonzero(rows.time_ns != NO_TIME)
    times = rows.time_ns[timed]
    late = np.flatnonzero(times < np.maximum.accumulate(times) - SLACK_NS) if len(times) else timed
    if len(late):
        row = int(timed[late[0]])
        back = (int(times[:late[0]].max()) - int(times[late[0]])) / SLACK_NS
        raise wrong(_line(rows, row), f"time goes back by {back:.1f} s")


def _check_turns(
    rows: Rows, order: Ints, invokes: NDArray[np.bool_], opened: NDArray[np.bool_], wrong: Wrong
) -> None:
    """A process invokes, completes, invokes: nothing else."""
    bad = order[np.flatnonzero(invokes == opened)]
    if not len(bad):
        return
    row = int(bad.min())
    if rows.type[row] == INVOKE:
        own = np.flatnonzero(rows.process[:row] == rows.process[row])
        raise wrong(_line(rows, row), f"process {int(rows.process[row])} invokes while its "
                                      f"operation of line {_line(rows, own[-1])} is open")
    raise wrong(_line(rows, row),
                f"process {int(rows.process[row])} completes what it did not invoke")


def _check_halves(rows: Rows, begun: Ints, ended: Ints, wrong: Wrong) -> None:
    """Both halves tell of one operation, and the end is not before the beginning."""
    other = np.flatnonzero(rows.f[begun] != rows.f[ended])
    if len(other):
        row = int(ended[other].min())
        raise wrong(_line(rows, row), "it completes another kind of operation than was invoked")
    times = rows.time_ns
    early = np.flatnonzero((times[ended] < times[begun]) & (times[ended] != NO_TIME))
    if len(early):
        row = int(ended[early].min())
        raise wrong(_line(rows, row), "time goes back: an operation ends before it begins")


def _line(rows: Rows, row: Any) -> int:
    return int(rows.line[int(row)])
