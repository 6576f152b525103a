"""Build the graph of dependencies between transactions, small enough for millions of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.checkers._dependency.txns import NEVER, Bools, Txns, spans
from holdfast.history.columns import FAIL, Ints

WW, WR, RW, PROCESS, REALTIME = 1, 2, 4, 8, 16
"""Why one transaction comes before another, as bits; the lowest is the best reason."""

NAMES = {WW: "ww", WR: "wr", RW: "rw", PROCESS: "process", REALTIME: "realtime"}

_ONE_BY_ONE = 64
"""Pairs of a fan below which it is written out."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Dependencies of one kind, each from one micro-operation to another.

    Those that were not seen but follow have a `via`: the read that tells.
    """

    kind: int
    cause: Ints
    effect: Ints
    via: Ints | None = None


@dataclass(frozen=True, slots=True)
class Fan:
    """Reads that each come before each of the writes: who saw a state, and who replaced it.

    One that did both comes before all others that did the second, but not before itself.
    """

    cause: Ints
    effect: Ints


@dataclass(frozen=True, slots=True)
class Graph:
    """Transactions, and which must come before which. `order` is realtime, process or ''."""

    txns: Txns
    edges: Sequence[Edges]
    fans: Sequence[Fan]
    order: str

    @property
    def has_order(self) -> bool:
        """Whether some transaction came before another in the order that is asked for."""
        txns = self.txns
        if self.order == "process":
            return bool(len(process_edges(txns)[0]))
        return self.order == "realtime" and bool(txns.end.min() < txns.begin.max())

    @property
    def is_empty(self) -> bool:
        """Whether nothing depends on anything."""
        return not (any(len(e.cause) for e in self.edges) or self.fans or self.has_order)


def fanned(txns: Txns, causes: Ints, effects: Ints) -> tuple[tuple[Ints, Ints], list[Fan]]:
    """Let each cause come before each effect of its key: few as pairs, many as fans."""
    causes = causes[np.argsort(txns.key[causes], kind="stable")]
    effects = effects[np.argsort(txns.key[effects], kind="stable")]
    keys = np.intersect1d(txns.key[causes], txns.key[effects])
    left, right = (
        np.searchsorted(txns.key[ops], [keys, keys + 1]) for ops in (causes, effects))
    many, wide = left[1] - left[0], right[1] - right[0]
    is_small = many * wide <= np.maximum(_ONE_BY_ONE, 2 * (many + wide))
    pairs, width = (many * wide)[is_small], np.repeat(wide[is_small], (many * wide)[is_small])
    at = spans(np.zeros(len(pairs), np.int64), pairs)
    cause = causes[np.repeat(left[0][is_small], pairs) + at // width]
    effect = effects[np.repeat(right[0][is_small], pairs) + at % width]
    fans = [
        Fan(causes[left[0][n]:left[1][n]], effects[right[0][n]:right[1][n]])
        for n in np.flatnonzero(~is_small)
    ]
    apart = txns.txn[cause] != txns.txn[effect]
    return (cause[apart], effect[apart]), fans


def realtime_pairs(txns: Txns, inside: Ints, group: Ints) -> tuple[Ints, Ints]:
    """Pairs ordered by time with nothing in between, of sorted groups of transactions, by place."""
    before, after, _ = _realtime_pairs(txns, inside, group, 1 << 62)
    return before, after


def process_edges(txns: Txns) -> tuple[Ints, Ints]:
    """Each acknowledged transaction of a process, and the next of the same, until one that was.

    One of which nobody knows came after those before it, if at all; it may come later than any.
    """
    possible = np.flatnonzero((txns.outcome != FAIL) & (txns.process >= 0))
    possible = possible[np.argsort(txns.process[possible], kind="stable")]
    place = np.where(txns.is_ok[possible], np.arange(len(possible)), -1)
    before = np.maximum.accumulate(place)[:-1]
    earlier, later = possible[before], possible[1:]
    same = (before >= 0) & (txns.process[earlier] == txns.process[later])
    return earlier[same], later[same]


def _realtime(txns: Txns, first_node: int) -> tuple[Ints, Ints, int]:
    """Order by time with nodes that stand for moments: three edges a transaction at most."""
    ok, possible = np.flatnonzero(txns.is_ok), np.flatnonzero(txns.outcome != FAIL)
    begins = np.sort(txns.begin[possible])
    # Ends between two begins share a node: nothing can tell them apart.
    slot = np.searchsorted(begins, txns.end[ok], side="right")
    slots, node = np.unique(slot, return_inverse=True)
    chain = np.arange(max(0, len(slots) - 1))
    rank = np.searchsorted(begins, txns.begin[possible])
    reached = np.searchsorted(slots, rank, side="right") - 1
    late = reached >= 0
    src = np.concatenate((ok, chain + first_node, reached[late] + first_node))
    dst = np.concatenate((node + first_node, chain + 1 + first_node, possible[late]))
    return src, dst, first_node + len(slots)


def components(graph: Graph) -> NDArray[np.int32]:
    """Number the transactions by strongly connected component; those in none have -1."""
    from scipy.sparse.csgraph import connected_components

    txns, size = graph.txns, len(graph.txns)
    parts = [(txns.txn[e.cause], txns.txn[e.effect]) for e in graph.edges]
    for fan in graph.fans:
        hub = np.array([size])
        parts.append((txns.txn[fan.cause], np.broadcast_to(hub, len(fan.cause))))
        parts.append((np.broadcast_to(hub, len(fan.effect)), txns.txn[fan.effect]))
        size += 1
    if graph.order == "process":
        parts.append(process_edges(txns))
    if graph.order == "realtime":
        src, dst, size = _realtime(txns, size)
        parts.append((src, dst))
    src, dst = (np.concatenate([np.asarray(p[i], dtype=np.int32) for p in parts]) for i in (0, 1))
    _, label = connected_components(
        matrix(src, dst, size), directed=True, connection="strong")
    label = label[:len(txns)]
    count = np.bincount(label, minlength=1)
    return np.where(count[label] > 1, label, np.int32(-1))


def matrix(src: Ints | NDArray[np.int32], dst: Ints | NDArray[np.int32], size: int) -> object:
    """Give the graph to scipy; weights are floats, as small integers wrap when they add up."""
    from scipy.sparse import coo_matrix

    return coo_matrix((np.ones(len(src)), (src, dst)), shape=(size, size)).tocsr()


@dataclass(frozen=True, slots=True)
class Core:
    """The transactions that lie on cycles, component by component, and all edges inside.

    Nodes are numbered anew, `txn` gives their transaction. There is one edge for each pair:
    `bits` are all its reasons, `kind` is the best of them.
    """

    txn: Ints
    component: Ints
    src: Ints
    dst: Ints
    bits: Ints
    kind: Ints
    cut: Bools

    @property
    def components(self) -> int:
        """How many components there are."""
        return len(self.cut)


def core(graph: Graph, label: NDArray[np.int32], limit: int) -> Core:
    """Cut out what lies on cycles; a component of more than `limit` pairs loses its times."""
    inside = np.flatnonzero(label >= 0)
    inside = inside[np.argsort(label[inside], kind="stable")]
    component = np.unique(label[inside], return_inverse=True)[1].astype(np.int64)
    node = np.full(len(label), -1)
    node[inside] = np.arange(len(inside))
    src, dst, bits = [], [], []
    for cause, effect, kind in _pairs(graph, label, limit):
        src.append(node[cause])
        dst.append(node[effect])
        bits.append(np.full(len(cause), kind))
    cut = np.zeros(int(component.max(initial=-1)) + 1, dtype=bool)
    if graph.order == "realtime":
        before, after, cut = _realtime_pairs(graph.txns, inside, component, limit)
        src.append(before)
        dst.append(after)
        bits.append(np.full(len(before), REALTIME))
    code = np.concatenate(src) * max(1, len(inside)) + np.concatenate(dst)
    order = np.argsort(code, kind="stable")
    code, every = code[order], np.concatenate(bits)[order]
    first = np.flatnonzero(np.concatenate((np.ones(1, bool), code[1:] != code[:-1]))[:len(code)])
    joined: Ints = np.bitwise_or.reduceat(every, first) if len(first) else every
    size = max(1, len(inside))
    return Core(
        inside, component, code[first] // size, code[first] % size, joined, joined & -joined, cut,
    )


def _pairs(
    graph: Graph, label: NDArray[np.int32], limit: int
) -> Iterable[tuple[Ints, Ints, int]]:
    """Pairs of transactions of the same component, by reason."""
    txn = graph.txns.txn
    for edges in graph.edges:
        before, after = txn[edges.cause], txn[edges.effect]
        same = (label[before] == label[after]) & (label[before] >= 0)
        yield before[same], after[same], edges.kind
    for fan in graph.fans:
        yield (*_opened(txn[fan.cause], txn[fan.effect], label, limit), RW)
    if graph.order == "process":
        before, after = process_edges(graph.txns)
        same = (label[before] == label[after]) & (label[before] >= 0)
        yield before[same], after[same], PROCESS


def _opened(
    before: Ints, after: Ints, label: NDArray[np.int32], limit: int
) -> tuple[Ints, Ints]:
    """Write a fan out, within each component, as far as the limit goes."""
    none = np.zeros(0, dtype=np.int64)
    causes, effects = [none], [none]
    for number in np.intersect1d(label[before], label[after]):
        if number >= 0:
            left = np.unique(before[label[before] == number])
            right = np.unique(after[label[after] == number])[:max(1, limit // len(left))]
            causes.append(np.repeat(left, len(right)))
            effects.append(np.tile(right, len(left)))
    cause, effect = np.concatenate(causes), np.concatenate(effects)
    apart = cause != effect
    return cause[apart], effect[apart]


def _realtime_pairs(
    txns: Txns, inside: Ints, component: Ints, limit: int
) -> tuple[Ints, Ints, Bools]:
    """Pairs ordered by time with nothing in between, by node; and which components have too many.

    Whatever lies between two of a component is of that component: others need not be looked at.
    """
    wide = int(txns.begin.max(initial=0)) + 2
    end = np.minimum(txns.end[inside], wide - 1)
    by_begin = np.argsort(component * wide + txns.begin[inside], kind="stable")
    begins = (component * wide + txns.begin[inside])[by_begin]
    ends = component * wide + end
    soonest = np.minimum.accumulate(ends[by_begin][::-1])[::-1]
    low = np.searchsorted(begins, ends, side="right")
    last = np.concatenate((soonest, [NEVER]))[low]
    stop = np.minimum(last, (component + 1) * wide - 1)
    high = np.searchsorted(begins, stop, side="right")
    count = np.where(txns.is_ok[inside], np.maximum(high - low, 0), 0)
    total = np.bincount(component, weights=count, minlength=int(component.max(initial=-1)) + 1)
    cut = total > limit
    count[cut[component]] = 0
    return np.repeat(np.arange(len(inside)), count), by_begin[spans(low, count)], cut
