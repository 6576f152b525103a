"""Explain a cycle: who took part, and why each had to come before the next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.checkers._dependency.cycles import Cycles
from holdfast.checkers._dependency.graph import NAMES, PROCESS, RW, WR, WW, Graph
from holdfast.checkers._dependency.words import key_of, name_of, ops_text, outcome_of, value_of
from holdfast.history.columns import NO_TIME, Kind, Shape
from holdfast.model.witness import Act, Reason, Witness


def witnesses(graph: Graph, found: Cycles) -> Iterator[Witness]:
    """Explain the shortest cycle of each kind."""
    for name, cycle in found.shortest.items():
        txns = [int(found.core.txn[node]) for node in cycle]
        yield _explain(graph, name, txns, found.kinds[name])


def _explain(graph: Graph, name: str, cycle: Sequence[int], kinds: Sequence[int]) -> Witness:
    txns, names = graph.txns, {txn: f"T{number}" for number, txn in enumerate(cycle, 1)}
    steps = [
        _Step(graph, kind, before, after, names)
        for before, after, kind in zip(cycle, [*cycle[1:], cycle[0]], kinds, strict=True)
    ]
    keys = {int(txns.key[step.told_by[1]]) for step in steps if step.is_of_operations}
    acts = [
        Act(
            name=names[txn], index=int(txns.history.index[txns.row[txn]]),
            process=int(txns.process[txn]), outcome=outcome_of(txns, txn),
            text=ops_text(txns, txn, keys),
        ) for txn in cycle
    ]
    return Witness(anomaly=name, acts=acts, reasons=[step.reason() for step in steps])


@dataclass(frozen=True, slots=True)
class _Step:
    """One transaction before another."""

    graph: Graph
    kind: int
    before: int
    after: int
    names: dict[int, str]

    @property
    def is_of_operations(self) -> bool:
        """Whether micro-operations are the reason, and not an order of transactions."""
        return self.kind in (WW, WR, RW)

    def reason(self) -> Reason:
        label, text = self._told()
        return Reason(
            before=self.names[self.before], after=self.names[self.after],
            kind=NAMES[self.kind], label=label, text=text,
        )

    def _told(self) -> tuple[str, str]:
        if self.is_of_operations:
            cause, effect, via = self.told_by
            label, text = self._of_operations(cause, effect)
            return label, text + (self._as_told_by(via) if via is not None else "")
        if self.kind == PROCESS:
            process = int(self.graph.txns.process[self.before])
            return f"process {process}", f"process {process} ran them one after the other"
        return self._of_times()

    def _of_operations(self, cause: int, effect: int) -> tuple[str, str]:
        txns, before, after = self.graph.txns, self.names[self.before], self.names[self.after]
        first, second = value_of(txns, cause), value_of(txns, effect)
        key = key_of(txns, effect)
        did = "appended" if Kind.APPEND in (txns.kind[cause], txns.kind[effect]) else "wrote"
        if self.kind == WW:
            text = f"{after} {did} {second} to {key} after {before} {did} {first}"
            return f"{key}: {first} then {second}", text
        if self.kind == WR:
            element = f"{key}: {first}"
            return element, f"{after} read {first} of {key}, {did} by {before}"
        nothing = txns.shape[cause] == Shape.NIL or (txns.shape[cause] == Shape.LIST and not len(
            txns.read(cause)))
        seen = "nothing" if nothing else first
        text = f"{before} read {key} as {seen}, before {after} {did} {second} to it"
        return f"{key}: {seen} before {second}", text

    def _of_times(self) -> tuple[str, str]:
        txns = self.graph.txns
        end, begin = int(txns.history.pair[txns.sent[self.before]]), int(txns.sent[self.after])
        was, then = int(txns.history.time_ns[end]), int(txns.history.time_ns[begin])
        gap = f"{(then - was) / 1e9:.6f} s" if NO_TIME < was < then else "just"
        rows = (f"(index {int(txns.history.index[end])}"
                f" before index {int(txns.history.index[begin])})")
        before, after = self.names[self.before], self.names[self.after]
        return "", f"{before} was done {gap} before {after} began {rows}"

    def _as_told_by(self, read: int) -> str:
        """Which read it follows from."""
        txns = self.graph.txns
        txn = int(txns.txn[read])
        who = self.names.get(txn) or name_of(txns, txn)
        return f" (it follows from what {who} saw when it read {value_of(txns, read)})"

    @property
    def told_by(self) -> tuple[int, int, int | None]:
        """The micro-operations that say so, and the read that it follows from."""
        txn = self.graph.txns.txn
        for edges in self.graph.edges:
            if edges.kind == self.kind:
                at = np.flatnonzero(
                    (txn[edges.cause] == self.before) & (txn[edges.effect] == self.after))
                if len(at):
                    via = None if edges.via is None else int(edges.via[at[0]])
                    return int(edges.cause[at[0]]), int(edges.effect[at[0]]), via
        (fan, *_) = (
            fan for fan in self.graph.fans
            if (txn[fan.cause] == self.before).any() and (txn[fan.effect] == self.after).any()
        )
        cause = fan.cause[txn[fan.cause] == self.before][0]
        return int(cause), int(fan.effect[txn[fan.effect] == self.after][0]), None
