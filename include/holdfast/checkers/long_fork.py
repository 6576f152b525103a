"""Two reads agree on which of two writes came first."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from holdfast.checkers._history import complaint, ended, seen
from holdfast.errors import CheckError
from holdfast.history.columns import OK, History, Kind, Shape
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, HistoryChecker

_Read = tuple[int, ...]
"""What a read saw of its group's keys, in their order: 1 or 0."""


class LongForkOptions(Frozen):
    """How much work may be done."""

    budget: int = Field(1_000_000, ge=1, description="pairs of different reads compared, at most")


class LongFork:
    """`long-fork`: one read saw a write and not another, a second read the other and not the one.

    Each key is written once; reads of the same keys are compared.
    """

    options: type[Frozen] = LongForkOptions

    def judge(self, history: History, options: Any) -> Checked:
        """Judge."""
        groups, reads = _groups(history)
        counts = seen(history) | {"reads": reads, "groups": len(groups)}
        shown = sum(any(any(read) for read in group) for group in groups.values())
        if not shown:
            return Checked("unknown", "no read saw a write: nothing was observed", counts)
        found, left = list[str](), int(options.budget)
        for keys, group in groups.items():
            left -= len(group) * (len(group) - 1) // 2
            if left < 0 and not found:
                text = f"{options.budget} pairs of reads were compared, and more are left"
                return Checked("unknown", text, counts)
            if left >= 0:
                found.extend(_forks(history, keys, group))
        anomalies = {"long-fork": found}
        if found:
            return Checked("invalid", complaint(anomalies), counts | {"long-fork": len(found)},
                           anomalies)
        return Checked("valid", f"all {reads} reads see writes in one order", counts, anomalies)


def _groups(history: History) -> tuple[dict[tuple[int, ...], dict[_Read, int]], int]:
    """Different reads of the same keys, each with the first row that has it."""
    rows = history.pair[ended(history, OK)]
    micro, groups, reads = history.transactions, dict[tuple[int, ...], dict[_Read, int]](), 0
    values: dict[int, int] = {}
    for row in rows[history.shape[rows] == Shape.TXN].tolist():
        here = slice(int(micro.offsets[row]), int(micro.offsets[row + 1]))
        if (micro.kind[here] != Kind.READ).any():
            continue
        keys, atoms = micro.key[here], micro.atom[here]
        order = np.argsort(keys)
        saw = (micro.shape[here] != Shape.NIL)[order]
        for key, value in zip(keys[order][saw].tolist(), atoms[order][saw].tolist(), strict=True):
            if values.setdefault(key, value) != value:
                raise CheckError(f"key {history.atoms.text(key)} was written more than once; "
                                 "a long fork is looked for among keys written once")
        reads += 1
        group = groups.setdefault(tuple(keys[order].tolist()), {})
        group.setdefault(tuple(saw.astype(int).tolist()), row)
    return groups, reads


def _forks(history: History, keys: Sequence[int], group: dict[_Read, int]) -> Iterator[str]:
    reads = list(group)
    bits = np.array(reads, bool)
    for n in range(len(reads)):
        only_here = (bits[n] & ~bits[n + 1:])
        only_there = (~bits[n] & bits[n + 1:])
        for m in np.flatnonzero(only_here.any(axis=1) & only_there.any(axis=1)).tolist():
            one = history.atoms.text(keys[int(np.argmax(only_here[m]))])
            other = history.atoms.text(keys[int(np.argmax(only_there[m]))])
            first, second = (int(history.index[group[reads[r]]]) for r in (n, n + 1 + m))
            yield (f"index {first} read key {one} and not {other}, "
                   f"index {second} read {other} and not {one}")


CHECKER: HistoryChecker = LongFork()
