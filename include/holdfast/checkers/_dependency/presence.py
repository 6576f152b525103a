"""Decide which kinds of cycles each component has, as far as that can be told without a search."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from holdfast.checkers._dependency.graph import PROCESS, REALTIME, RW, WR, WW, Core, matrix
from holdfast.checkers._dependency.txns import Bools
from holdfast.history.columns import Ints


@dataclass(frozen=True, slots=True)
class Inside:
    """Which edges lie on a cycle of edges like them, and which components have such a cycle."""

    edges: Bools
    components: Bools


def on_cycles(core: Core, chosen: Bools) -> Inside:
    """Look for cycles of the chosen edges alone."""
    size = len(core.txn)
    src, dst = core.src[chosen], core.dst[chosen]
    label = _labels(src, dst, size)
    edges = np.zeros(len(core.src), dtype=bool)
    edges[np.flatnonzero(chosen)[label[src] == label[dst]]] = True
    return Inside(edges, _components(core, edges))


def alternating(core: Core, steps: Bools, jumps: Bools) -> Inside:
    """Look for cycles of steps and jumps with no two jumps in a row; give the jumps on them.

    Each node stands twice: as it is reached by a step, and as it is reached by a jump.
    """
    size = len(core.txn)
    src, dst = core.src[steps], core.dst[steps]
    before = np.concatenate((src, src + size, core.src[jumps]))
    after = np.concatenate((dst, dst, core.dst[jumps] + size))
    label = _labels(before, after, 2 * size)
    edges = np.zeros(len(core.src), dtype=bool)
    jump = np.flatnonzero(jumps)
    edges[jump[label[core.src[jump]] == label[core.dst[jump] + size]]] = True
    step = np.flatnonzero(steps)
    is_cycle = label[core.src[step]] == label[core.dst[step]]
    found = edges.copy()
    found[step[is_cycle]] = True
    return Inside(edges, _components(core, found))


def _labels(src: Ints, dst: Ints, size: int) -> Ints:
    from scipy.sparse.csgraph import connected_components

    if not len(src):
        return np.arange(size)
    graph = matrix(src.astype(np.int32), dst.astype(np.int32), size)
    label = connected_components(graph, directed=True, connection="strong")[1]
    return cast(Ints, label.astype(np.int64))


def _components(core: Core, edges: Bools) -> Bools:
    found = np.zeros(core.components, dtype=bool)
    found[core.component[core.src[edges]]] = True
    return found


_EXISTS = {
    0: ("PL-1", "PL-2", "PL-SI", "PL-2.99"),
    PROCESS: (
        "strong-session-PL-1", "strong-session-PL-2", "strong-session-snapshot-isolation",
        "strong-session-serializable",
    ),
    REALTIME: ("strong-PL-1", "strong-PL-2", "strong-snapshot-isolation", "PL-SS"),
}


def exists(core: Core, order: int) -> dict[str, Bools]:
    """Name, for each component, the levels that a cycle somewhere in it rules out, and no search.

    Here an edge counts for every reason it has.
    """
    found = {}
    for extra in (0, order) if order else (0,):
        writes = (core.bits & (WW | extra)) != 0
        steps = (core.bits & (WW | WR | extra)) != 0
        every = (core.bits & (WW | WR | RW | extra)) != 0
        names = iter(_EXISTS[extra])
        for inside in (
            on_cycles(core, writes), on_cycles(core, steps),
            alternating(core, steps, (core.bits & RW) != 0), on_cycles(core, every),
        ):
            found[f"{next(names)}-cycle-exists"] = inside.components
    return found
