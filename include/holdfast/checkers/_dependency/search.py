"""Find shortest cycles of a kind, within a budget counted in steps."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.checkers._dependency.graph import PROCESS, REALTIME, RW, WR, WW, Core
from holdfast.history.columns import Ints

_TRIED = 256
"""Edges from which a shorter cycle is looked for once one is known."""


@dataclass(slots=True)
class Budget:
    """Steps that are left; when they are spent, what was not found stays unknown."""

    steps: int

    @property
    def is_spent(self) -> bool:
        """Whether a search had to give up."""
        return self.steps <= 0


@dataclass(frozen=True, slots=True)
class Walk:
    """What may be walked: `steps` freely; `jumps` next to no other, nor to the first edge.

    Edges count for the best of their reasons, or `by_bits` for any of them.
    """

    steps: int
    jumps: int = 0
    by_bits: bool = False


class Component:
    """The edges of one component, ready to be walked."""

    def __init__(self, core: Core, number: int) -> None:
        first, last = np.searchsorted(core.component, [number, number + 1])
        low, high = np.searchsorted(core.src, [first, last])
        self.number, self.nodes = number, range(int(first), int(last))
        self.edges = range(int(low), int(high))
        self.node_of: dict[int, int] = {}
        self._first = int(first)
        self._src = core.src[low:high].data  # no object for each edge
        self._dst = core.dst[low:high].data
        self._kind = core.kind[low:high].data
        self._bits = core.bits[low:high].data
        starts = np.searchsorted(core.src[low:high], np.arange(first, last + 1))
        self._starts = starts.data

    def network(self, rows: Ints) -> dict[int, dict[int, int]]:
        """Its edges as a dict of dicts, with nodes named by rows."""
        self.node_of = {int(rows[node]): node for node in self.nodes}
        found: dict[int, dict[int, int]] = {row: {} for row in self.node_of}
        for before, after, bits in zip(self._src, self._dst, self._bits, strict=True):
            found[int(rows[before])][int(rows[after])] = bits
        return found

    def kinds(self, cycle: Sequence[int]) -> list[int]:
        """The best reason of each edge of a cycle."""
        found = []
        for before, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            low, high = self._starts[before - self._first], self._starts[before - self._first + 1]
            found.append(next(self._kind[i] for i in range(low, high) if self._dst[i] == after))
        return found

    def shortest(
        self, starts: Iterable[int], walk: Walk, budget: Budget
    ) -> Sequence[int] | None:
        """Give the nodes of the shortest cycle that begins with one of these edges.

        The rest of it is walked. No node comes twice.
        """
        best: Sequence[int] | None = None
        for tried, edge in enumerate(starts):
            if budget.is_spent or (best is not None and tried >= _TRIED):
                break
            at = edge - self.edges.start
            bound = len(best) if best is not None else 1 << 62
            found = self._back((self._dst[at], self._src[at]), walk, bound, budget)
            if found is not None:
                best = found
                if len(best) == 2:
                    break
        return best

    def _back(
        self, ends: tuple[int, int], walk: Walk, bound: int, budget: Budget
    ) -> Sequence[int] | None:
        """Walk from the end of an edge back to where it begins; breadth first."""
        (start, goal), flags = ends, self._bits if walk.by_bits else self._kind
        came: dict[tuple[int, bool], tuple[int, bool] | None] = {(start, True): None}
        waiting = deque([((start, True), 1)])
        while waiting and not budget.is_spent:
            state, length = waiting.popleft()
            if length + 1 >= bound:
                return None
            for after in self._next(state, walk, flags, budget):
                if after in came or after == (goal, True):
                    continue
                came[after] = state
                if after[0] != goal:
                    waiting.append((after, length + 1))
                elif (path := _path(came, after)) is not None:
                    return path
                else:
                    del came[after]
        return None

    def _next(
        self, state: tuple[int, bool], walk: Walk, flags: memoryview, budget: Budget
    ) -> Iterator[tuple[int, bool]]:
        """Nodes that are one edge away, and whether that is a jump."""
        node, jumped = state
        low, high = self._starts[node - self._first], self._starts[node - self._first + 1]
        budget.steps -= high - low
        for at in range(low, high):
            if flags[at] & walk.steps:
                yield self._dst[at], False
            elif flags[at] & walk.jumps and not jumped:
                yield self._dst[at], True


def _path(
    came: dict[tuple[int, bool], tuple[int, bool] | None], end: tuple[int, bool]
) -> Sequence[int] | None:
    """Follow a walk back to where it began; None if it comes by a node twice."""
    path: list[int] = []
    state: tuple[int, bool] | None = end
    while state is not None:
        path.append(state[0])
        state = came[state]
    path.reverse()
    return [path[-1], *path[:-1]] if len(set(path)) == len(path) else None


def classify(kinds: Sequence[int]) -> str:
    """Name a cycle by the reasons of its edges."""
    anti = kinds.count(RW)
    if anti > 1:
        adjacent = any(a == b == RW for a, b in zip(kinds, [*kinds[1:], kinds[0]], strict=True))
        name = "G2-item" if adjacent else "G-nonadjacent-item"
    elif anti:
        name = "G-single-item"
    else:
        name = "G1c" if WR in kinds else "G0"
    ending = {REALTIME: "-realtime", PROCESS: "-process"}
    return name + next((end for kind, end in ending.items() if kind in kinds), "")


def edges_of(component: Component, chosen: Ints) -> Ints:
    """Those of the chosen edges (numbers, ascending) that are of this component."""
    low, high = np.searchsorted(chosen, [component.edges.start, component.edges.stop])
    return chosen[low:high]


WRITES, STEPS = WW, WW | WR
"""What may be walked freely: writes alone, or writes and reads."""
