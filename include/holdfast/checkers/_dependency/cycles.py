"""Name the cycles of a graph, as Elle does: the worst of each component, and each kind once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.checkers._dependency.graph import (
    PROCESS,
    REALTIME,
    RW,
    WR,
    WW,
    Core,
    Graph,
    components,
    core,
)
from holdfast.checkers._dependency.levels import implied, ruled_out
from holdfast.checkers._dependency.paths import Paths, Spent, Wanted
from holdfast.checkers._dependency.presence import Inside, alternating, exists, on_cycles
from holdfast.checkers._dependency.search import (
    STEPS,
    WRITES,
    Budget,
    Component,
    Walk,
    classify,
    edges_of,
)
from holdfast.checkers._dependency.txns import Bools, Txns
from holdfast.history.columns import Ints

_PAIRS = 8_000_000
"""Pairs of one component that are written out in order to be searched."""

_FOLLOWED = 2_000
"""Transactions of a component up to which paths are followed one by one, and how many steps."""

_PATHS = 200_000

_SEARCHED = 1_000
"""Components searched for a kind of cycle that other components have shown already."""

_ORDERS = {"realtime": REALTIME, "process": PROCESS, "": 0}


@dataclass(slots=True)
class Cycles:
    """What was found: kinds of cycles and in how many components, one cycle of each kind.

    `rows` are the numbers of the rows that end each transaction. `exist` names the levels that
    some cycle rules out, found without a search. `limits` says what was not looked at.
    """

    core: Core
    rows: Ints
    counts: dict[str, int] = field(default_factory=dict)
    shortest: dict[str, Sequence[int]] = field(default_factory=dict)
    kinds: dict[str, Sequence[int]] = field(default_factory=dict)
    exist: set[str] = field(default_factory=set)
    limits: list[str] = field(default_factory=list)

    def take(self, name: str, cycle: Sequence[int], kinds: Sequence[int]) -> None:
        """Count a cycle, and keep it if it is the shortest of its kind."""
        self.counts[name] = self.counts.get(name, 0) + 1
        known = self.shortest.get(name)
        if known is None or len(cycle) < len(known):
            self.shortest[name], self.kinds[name] = cycle, kinds


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of cycle: where it can be, what begins it, and what may be walked.

    `wanted` is what Elle asks of it. Where edges are walked for any of their reasons (`by_bits`)
    a cycle is told by the best ones, and may then be of another kind than was looked for: it is
    told all the same, as by Elle.
    """

    name: str
    where: Bools
    starts: Ints
    walk: Walk
    wanted: Wanted


def cycles(graph: Graph, budget: int) -> Cycles:
    """Look for cycles of each kind, the worst first, in the smallest component first."""
    inner = core(graph, components(graph), _PAIRS)
    found = Cycles(inner, rows_of(graph.txns, inner.txn))
    if inner.cut.any():
        found.limits.append(
            f"in {int(inner.cut.sum())} components the order of time was left out: too many pairs")
    order, left = _ORDERS[graph.order], Budget(budget)
    kinds = list(_kinds(inner, order))
    sizes = np.bincount(inner.component, minlength=inner.components)
    for searched, number in enumerate(np.argsort(sizes, kind="stable")):
        here = [kind for kind in kinds if kind.where[number]]
        if searched >= _SEARCHED and not any(kind.name not in found.counts for kind in here):
            continue
        _look(inner, int(number), here, found, left)
        if left.is_spent:
            found.limits.append("the budget of steps was spent before every cycle was searched")
            break
    found.exist = {name for name, where in _weakest(exists(inner, order)) if where.any()}
    return found


def rows_of(txns: Txns, txn: Ints) -> Ints:
    """The numbers of the rows at which transactions ended."""
    history, sent = txns.history, txns.sent[txn]
    return history.index[np.where(history.pair[sent] >= 0, history.pair[sent], sent)]


def any_cycle(graph: Graph, budget: int, name: str) -> Cycles:
    """Look for a shortest cycle, of whatever dependencies, and give it a name of its own."""
    inner = core(graph, components(graph), _PAIRS)
    found, left = Cycles(inner, rows_of(graph.txns, inner.txn)), Budget(budget)
    if inner.components:
        component = Component(inner, int(np.argmin(np.bincount(inner.component))))
        walk = Walk(WW | WR | PROCESS)
        cycle = component.shortest(component.edges, walk, left)
        if cycle is not None:
            found.take(name, cycle, component.kinds(cycle))
        else:
            found.limits.append("the budget of steps was spent before a cycle was written out")
    return found


def _look(core: Core, number: int, kinds: Sequence[_Kind], found: Cycles, left: Budget) -> None:
    """Search one component; what a worse cycle implies is not looked for.

    Kinds are those that Elle would name, as long as all paths can be followed.
    """
    component, known = Component(core, number), set[str]()
    names = _Names(component, found, left)
    for kind in kinds:
        if kind.name not in known and names.take(kind):
            known |= implied([kind.name])


class _Names:
    """Gives names to the cycles of one component, and keeps a short one of each name."""

    def __init__(self, component: Component, found: Cycles, left: Budget) -> None:
        self._component, self._found, self._left = component, found, left
        self._paths: Paths | None = None
        if len(component.nodes) <= _FOLLOWED and not found.core.cut[component.number]:
            self._steps = min(_PATHS, left.steps // 2)
            self._paths = Paths(component.network(found.rows), self._spend)

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        self._left.steps -= steps
        if self._steps < 0:
            raise Spent

    def take(self, kind: _Kind) -> bool:
        """Look for a cycle of a kind; say whether there is one that counts."""
        starts = edges_of(self._component, kind.starts).tolist()
        is_followed, cycle = self._first(kind)
        if is_followed and cycle is None:
            return False
        short = self._component.shortest(starts, kind.walk, self._left)
        if cycle is None or (short is not None and self._name(short) == self._name(cycle)):
            cycle = short
        if cycle is None:
            return False
        self._found.take(self._name(cycle), cycle, self._component.kinds(cycle))
        return True

    def _first(self, kind: _Kind) -> tuple[bool, Sequence[int] | None]:
        """The first cycle that Elle meets, if all paths up to it were followed."""
        if self._paths is None:
            return False, None
        try:
            rows = self._paths.first(kind.wanted)
        except Spent:
            self._paths = None
            return False, None
        cycle = None if rows is None else [self._component.node_of[row] for row in rows]
        if cycle is not None and not kind.walk.by_bits and self._name(cycle) != kind.name:
            cycle = None
        return True, cycle

    def _name(self, cycle: Sequence[int]) -> str:
        return classify(self._component.kinds(cycle))


def _kinds(core: Core, order: int) -> Iterator[_Kind]:
    """All kinds, each before those that it implies."""
    bases = [list(_base(core, extra)) for extra in ((0, order) if order else (0,))]
    for variants in zip(*bases, strict=True):
        yield from variants


def _base(core: Core, extra: int) -> Iterator[_Kind]:
    """The five kinds, from the worst, with or without an order between transactions."""
    ending = {0: "", PROCESS: "-process", REALTIME: "-realtime"}[extra]
    kind, writes, steps = core.kind, WRITES | extra, STEPS | extra
    flags = core.bits if extra else kind

    def one(name: str, inside: Inside, begins: Bools, steps: int, jumps: int = 0) -> _Kind:
        starts = np.flatnonzero(inside.edges & begins)
        where = np.zeros(core.components, dtype=bool)
        where[core.component[core.src[starts]]] = True
        is_free = name in ("G0", "G1c")
        walk = Walk(steps, jumps, by_bits=bool(extra) and is_free)
        return _Kind(name + ending, where, starts, walk, _wanted(name, extra))

    yield one("G0", on_cycles(core, (flags & writes) != 0), (flags & WW) != 0, writes)
    yield one("G1c", on_cycles(core, (flags & steps) != 0), (flags & WR) != 0, steps)
    jumps = alternating(core, (kind & steps) != 0, kind == RW)
    yield one("G-single-item", jumps, kind == RW, steps)
    yield one("G-nonadjacent-item", jumps, kind == RW, steps, RW)
    yield one("G2-item", on_cycles(core, (kind & (steps | RW)) != 0), kind == RW, steps | RW)


def _wanted(name: str, extra: int) -> Wanted:
    """What Elle asks of a cycle before it calls it so."""
    order = (extra,) if extra else ()
    if name == "G0":
        return Wanted(WRITES | extra, order)
    if name == "G1c":
        return Wanted(STEPS | extra, (WR, *order))
    if name == "G2-item":
        return Wanted(STEPS | RW | extra, order, anti=2)
    if name == "G-single-item":
        return Wanted(STEPS | extra, order, anti=1, alone=True)
    return Wanted(STEPS | extra, order, anti=2, apart=True)


def _weakest(found: dict[str, Bools]) -> Iterator[tuple[str, Bools]]:
    """Leave out, in each component, what a weaker level's cycle says already."""
    for name, where in found.items():
        (level,) = ruled_out([name]).weakest
        left = where.copy()
        for other, there in found.items():
            gone = ruled_out([other])
            if other != name and level in gone.also and level not in gone.weakest:
                left &= ~there
        yield name, left
