"""Infer more of the order of writes where snapshot isolation or serializability must hold.

Deciding them is NP-hard; what follows of necessity is not. Whatever circle it leads to is a
violation. Where there is none, a serial order is tried: if it explains all reads, the level holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.checkers._dependency.graph import RW, WW, Edges, Graph, process_edges
from holdfast.checkers._dependency.registers import NOBODY, Registers
from holdfast.checkers._dependency.weak import Sessions

LARGEST = 5_000
"""Transactions up to which all pairs are looked at."""

Pair = tuple[int, int]
"""Two micro-operations: that of the earlier transaction, that of the later one."""


@dataclass(slots=True)
class _Facts:
    """Which transactions came before which (as bits), and the operations that say so."""

    sessions: Sessions
    is_serial: bool
    follow: list[int] = field(default_factory=list)
    anti: list[int] = field(default_factory=list)
    writes: dict[Pair, tuple[int, int, int]] = field(default_factory=dict)
    reads: dict[Pair, tuple[int, int, int]] = field(default_factory=dict)

    def reach(self) -> list[int] | None:
        """All that comes after each transaction; None if there is a circle.

        Under snapshot isolation no two anti-dependencies follow one another: a jump is one together
        with what leads to it.
        """
        size = len(self.follow)
        after = [_bits(self._next(txn)) for txn in range(size)]
        order = _sorted(after)
        if len(order) < size:
            return None
        seen = [0] * size
        for txn in reversed(order):
            for other in after[txn]:
                seen[txn] |= seen[other] | 1 << other
        return seen

    def _next(self, txn: int) -> int:
        if self.is_serial:
            return self.follow[txn] | self.anti[txn]
        jumps = 0
        for other in _bits(self.follow[txn]):
            jumps |= self.anti[other]
        return self.follow[txn] | jumps


def _sorted(after: Sequence[Sequence[int]]) -> list[int]:
    """Put each before what comes after it; what lies behind a circle is left out."""
    missing, order = [0] * len(after), []
    for found in after:
        for other in found:
            missing[other] += 1
    ready = [txn for txn, count in enumerate(missing) if not count]
    while ready:
        order.append(ready.pop())
        for other in after[order[-1]]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return order


def _bits(number: int) -> list[int]:
    found = []
    while number:
        low = number & -number
        found.append(low.bit_length() - 1)
        number ^= low
    return found


def saturated(sessions: Sessions, is_serial: bool) -> Graph:
    """All dependencies that follow for serializability, or else for snapshot isolation."""
    facts = _Facts(sessions, is_serial)
    size = len(sessions.before)
    facts.follow, facts.anti = [0] * size, [0] * size
    for txn, before in enumerate(sessions.before.tolist()):
        if before != NOBODY:
            facts.follow[before] |= 1 << txn
    for txn, reads in sessions.reads.items():
        for writer, _, _ in reads:
            facts.follow[writer] |= 1 << txn
    _read_and_written(facts)
    _from_the_beginning(facts)
    while (seen := facts.reach()) is not None and _infer(facts, seen):
        pass
    return _graph(facts)


def _read_and_written(facts: _Facts) -> None:
    """Who reads a version and then writes the key is the next to write it."""
    sessions = facts.sessions
    for txn, reads in sessions.reads.items():
        for writer, key, read in reads:
            mine = sessions.writes.get(txn, {})
            if key in mine and mine[key] > read:
                _wrote(facts, (writer, txn), key, read)


def _from_the_beginning(facts: _Facts) -> None:
    """Who read nothing came before all who wrote."""
    sessions, found = facts.sessions, facts.sessions.found
    txns = found.txns
    writers = dict[int, list[int]]()
    for txn, keys in sessions.writes.items():
        for key in keys:
            writers.setdefault(key, []).append(txn)
    for read in found.reads.tolist():
        key, txn = int(txns.key[read]), int(txns.txn[read])
        if found.version[read] == found.initial[key]:
            for other in writers.get(key, ()):
                _missed(facts, (txn, other), key, read)


def _wrote(facts: _Facts, pair: Pair, key: int, via: int) -> bool:
    """Note that one transaction wrote a key before another did; say whether that is new."""
    if pair in facts.writes or pair[0] == pair[1]:
        return False
    writes = facts.sessions.writes
    if key not in writes.get(pair[0], {}) or key not in writes.get(pair[1], {}):
        return False
    facts.writes[pair] = (writes[pair[0]][key], writes[pair[1]][key], via)
    facts.follow[pair[0]] |= 1 << pair[1]
    return True


def _missed(facts: _Facts, pair: Pair, key: int, read: int) -> bool:
    """Note that one transaction read a key before another wrote it; say whether that is new."""
    if pair in facts.reads or pair[0] == pair[1]:
        return False
    facts.reads[pair] = (read, facts.sessions.writes[pair[1]][key], read)
    facts.anti[pair[0]] |= 1 << pair[1]
    return True


def _infer(facts: _Facts, after: Sequence[int]) -> bool:
    """For each read and each other writer of its key: which came first, if that is known."""
    sessions, is_new = facts.sessions, False
    masks = dict[int, int]()
    for txn, keys in sessions.writes.items():
        for key in keys:
            masks[key] = masks.get(key, 0) | 1 << txn
    before = _turned(facts, after)
    for txn, reads in sessions.reads.items():
        for writer, key, read in reads:
            others = masks.get(key, 0) & ~(1 << writer | 1 << txn)
            for other in _bits(others & before[txn] & ~before[writer]):
                is_new |= _wrote(facts, (other, writer), key, read)
            known = after[txn] if facts.is_serial else facts.anti[txn]
            for other in _bits(others & after[writer] & ~known):
                is_new |= _missed(facts, (txn, other), key, read)
    return is_new


def _turned(facts: _Facts, after: Sequence[int]) -> list[int]:
    """All that is visible to each transaction: what comes before it, by a dependency at last."""
    before = [0] * len(after)
    for txn, found in enumerate(after):
        for other in _bits(found):
            before[other] |= 1 << txn
    if facts.is_serial:
        return before
    visible = [0] * len(after)
    for txn, found in enumerate(facts.follow):
        for other in _bits(found):
            visible[other] |= before[txn] | 1 << txn
    return visible


def _graph(facts: _Facts) -> Graph:
    def edges(kind: int, found: Mapping[Pair, tuple[int, int, int]]) -> Edges:
        cause, effect, via = np.array(list(found.values()), dtype=np.int64).reshape(-1, 3).T
        return Edges(kind, cause, effect, via)

    parts = [edges(WW, facts.writes), facts.sessions.edges(), edges(RW, facts.reads)]
    return Graph(facts.sessions.found.txns, parts, [], "process")


def is_explained(graph: Graph, found: Registers) -> bool:
    """Whether some serial order that keeps all dependencies explains every outer read."""
    return all(_replay(graph, found))


def _replay(graph: Graph, found: Registers) -> Iterator[bool]:
    """Run the transactions one after the other; say of each whether it read what was there."""
    txns = found.txns
    state = {int(key): int(found.initial[key]) for key in range(len(txns.keys))}
    reads, writes = _by_txn(found, found.reads), _by_txn(found, found.writes)
    waiting = np.bincount(found.version[found.reads], minlength=found.sizes).tolist()
    after, missing = _constraints(graph)
    ready, done = [t for t in range(len(txns)) if not missing[t]], 0

    def fits(txn: int) -> bool:
        mine = [version for _, version in reads.get(txn, ())]
        return all(state[key] == version for key, version in reads.get(txn, ())) and all(
            waiting[state[key]] == mine.count(state[key]) for key, _ in writes.get(txn, ()))

    while ready:
        txn = next((t for t in reversed(ready) if fits(t)), None)
        if txn is None:
            break
        ready.remove(txn)
        done += 1
        for _, version in reads.get(txn, ()):
            waiting[version] -= 1
        state.update(writes.get(txn, ()))
        for other in after.get(txn, ()):
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    yield done == len(txns)


def _by_txn(found: Registers, ops: np.ndarray) -> dict[int, list[Pair]]:
    by_txn = dict[int, list[Pair]]()
    for op in ops.tolist():
        pair = (int(found.txns.key[op]), int(found.version[op]))
        by_txn.setdefault(int(found.txns.txn[op]), []).append(pair)
    return by_txn


def _constraints(graph: Graph) -> tuple[dict[int, list[int]], list[int]]:
    txn = graph.txns.txn
    pairs = {
        pair for edges in graph.edges
        for pair in zip(txn[edges.cause].tolist(), txn[edges.effect].tolist(), strict=True)
    } | set(zip(*(side.tolist() for side in process_edges(graph.txns)), strict=True))
    after, missing = dict[int, list[int]](), [0] * len(graph.txns)
    for before, later in pairs:
        after.setdefault(before, []).append(later)
        missing[later] += 1
    return after, missing
