"""Order writes of registers as read committed, read atomic and causal consistency demand it.

The definitions are those of Biswas and Enea: if one transaction read a key from another, though a
third one that wrote the key too was visible to it, then the third one came first. What is visible
is what the level says. A level holds if this order, that of the sessions and that of reads from
writes form no circle; polynomial.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.checkers._dependency.graph import WR, WW, Edges, Graph, process_edges
from holdfast.checkers._dependency.registers import NOBODY, Registers
from holdfast.history.columns import Ints

READ_COMMITTED, READ_ATOMIC, CAUSAL = "read-committed", "read-atomic", "causal"

LEVELS = (READ_COMMITTED, READ_ATOMIC, CAUSAL)
"""From the weakest: each also holds where the next one does."""


@dataclass(slots=True)
class Sessions:
    """What each transaction read from others, in order, and what it wrote; by sessions.

    `reads` are (writer's transaction, key, read). `writes` gives the last write of each key.
    `before` is the transaction before in the session, or NOBODY.
    """

    found: Registers
    reads: Mapping[int, Sequence[tuple[int, int, int]]]
    writes: Mapping[int, Mapping[int, int]]
    before: Ints
    session: Ints

    @classmethod
    def of(cls, found: Registers) -> "Sessions":
        txns, txn = found.txns, found.txns.txn
        ops = np.flatnonzero(found.is_read)
        writer = found.writer[found.version[ops]]
        other = (writer != NOBODY) & (txn[writer] != txn[ops])
        reads = dict[int, list[tuple[int, int, int]]]()
        for op, by in zip(ops[other].tolist(), txn[writer[other]].tolist(), strict=True):
            reads.setdefault(int(txn[op]), []).append((by, int(txns.key[op]), op))
        writes = dict[int, dict[int, int]]()
        for op in found.writes.tolist():
            writes.setdefault(int(txn[op]), {})[int(txns.key[op])] = op
        before = np.full(len(txns), NOBODY)
        earlier, later = process_edges(txns)
        before[later] = earlier
        return cls(found, reads, writes, before, _sessions(before))

    def edges(self) -> Edges:
        """Reads after the writes that they saw."""
        ops = [op for reads in self.reads.values() for _, _, op in reads]
        effect = np.array(ops, dtype=np.int64)
        return Edges(WR, self.found.writer[self.found.version[effect]], effect)


def _sessions(before: Ints) -> Ints:
    """Number the sessions; transactions are in the order of time, and so of their session."""
    session = np.arange(len(before))
    for txn in np.flatnonzero(before != NOBODY).tolist():
        session[txn] = session[before[txn]]
    return session


@dataclass(slots=True)
class _Order:
    """Writes that came before others, and the reads that tell."""

    sessions: Sessions
    cause: list[int] = field(default_factory=list)
    effect: list[int] = field(default_factory=list)
    via: list[int] = field(default_factory=list)

    def add(self, first: int, key: int, read: int) -> None:
        """A transaction wrote the key before the one that was read, or the read would differ."""
        writes = self.sessions.writes
        self.cause.append(writes[first][key])
        self.effect.append(self.sessions.found.writer[self.sessions.found.version[read]])
        self.via.append(read)

    def edges(self) -> Edges:
        """What was found, without repetitions."""
        columns = np.array([self.cause, self.effect, self.via], dtype=np.int64)
        _, first = np.unique(columns[:2], axis=1, return_index=True)
        cause, effect, via = columns[:, np.sort(first)]
        return Edges(WW, cause, effect, via)


def weak_graph(sessions: Sessions, level: str) -> Graph:
    """All that must come before something else for a level to hold."""
    order = _Order(sessions)
    infer = {READ_COMMITTED: _committed, READ_ATOMIC: _atomic, CAUSAL: _causal}[level]
    for first, key, read in infer(sessions):
        order.add(first, key, read)
    return Graph(sessions.found.txns, [sessions.edges(), order.edges()], [], "process")


Inferred = Iterator[tuple[int, int, int]]
"""Who wrote a key before the transaction that a read of it saw: that transaction, key, read."""


def _committed(sessions: Sessions) -> Inferred:
    """Once a transaction read from another, what it reads later is no older."""
    nobody: Mapping[int, int] = {}
    for reads in sessions.reads.values():
        first = {writer: at for at, (writer, _, _) in reversed(list(enumerate(reads)))}
        later = dict[int, list[tuple[int, int]]]()  # by key, the two next writers, latest first
        for at in range(len(reads) - 1, -1, -1):
            writer, key, read = reads[at]
            if first[writer] == at:
                written = sessions.writes.get(writer, nobody)
                for shared in written.keys() & later.keys():
                    other = next((o for o in reversed(later[shared]) if o[0] != writer), None)
                    if other is not None:
                        yield writer, shared, other[1]
            known = later.setdefault(key, [])
            if not known or known[-1][0] != writer:
                later[key] = [*known[-1:], (writer, read)]


def _atomic(sessions: Sessions) -> Inferred:
    """A transaction sees all or nothing of others: of whom it read, and of its own session."""
    nobody: Mapping[int, int] = {}
    newest = dict[int, dict[int, int]]()  # by session and key: who wrote it last
    for txn in range(len(sessions.before)):
        reads = sessions.reads.get(txn, ())
        mine = newest.setdefault(int(sessions.session[txn]), {})
        by_key = dict[int, list[tuple[int, int]]]()
        for writer, key, read in reads:
            by_key.setdefault(key, []).append((writer, read))
        for seen in {writer for writer, _, _ in reads}:
            for key in sessions.writes.get(seen, nobody).keys() & by_key.keys():
                yield from ((seen, key, read) for w, read in by_key[key] if w != seen)
        for writer, key, read in reads:
            own = mine.get(key, writer)
            if own != writer:
                yield own, key, read
        for key in sessions.writes.get(txn, nobody):
            mine[key] = txn


def _causal(sessions: Sessions) -> Inferred:
    """A transaction sees all that comes before it by sessions and by reads from writes.

    Of each session it is enough to know how far it is seen: clocks, handed on from one transaction
    to the next, in an order in which sessions and reads form no circle. Where they do there is no
    such order, and the circle itself is the violation.
    """
    place = _places(sessions)
    writes = dict[int, dict[int, list[tuple[int, int]]]]()  # by key and session: (place, txn)
    for txn, keys in sessions.writes.items():
        for key in keys:
            by_session = writes.setdefault(key, {})
            by_session.setdefault(int(sessions.session[txn]), []).append((int(place[txn]), txn))
    clocks = dict[int, dict[int, int]]()
    for txn in _in_order(sessions):
        clock = _joined(sessions, txn, clocks, place)
        clocks[txn] = clock
        for writer, key, read in sessions.reads.get(txn, ()):
            for session, known in writes.get(key, {}).items():
                at = bisect_right(known, (clock.get(session, -1), len(place))) - 1
                if at >= 0 and known[at][1] != writer:
                    yield known[at][1], key, read


def _joined(
    sessions: Sessions, txn: int, clocks: Mapping[int, Mapping[int, int]], place: Ints
) -> dict[int, int]:
    """How far each session is seen by a transaction."""
    seen = {writer for writer, _, _ in sessions.reads.get(txn, ())}
    before = int(sessions.before[txn])
    if before != NOBODY:
        seen.add(before)
    clock = dict[int, int]()
    for other in seen:
        for session, far in clocks[other].items():
            clock[session] = max(far, clock.get(session, -1))
        own = int(sessions.session[other])
        clock[own] = max(int(place[other]), clock.get(own, -1))
    return clock


def _places(sessions: Sessions) -> Ints:
    """The place of each transaction in its session."""
    place = np.zeros(len(sessions.before), dtype=np.int64)
    for txn in np.flatnonzero(sessions.before != NOBODY).tolist():
        place[txn] = place[sessions.before[txn]] + 1
    return place


def _in_order(sessions: Sessions) -> Iterator[int]:
    """Transactions, each after those it saw; what depends on a circle is left out."""
    after, missing = dict[int, list[int]](), [0] * len(sessions.before)
    for txn in range(len(sessions.before)):
        seen = {writer for writer, _, _ in sessions.reads.get(txn, ())}
        if sessions.before[txn] != NOBODY:
            seen.add(int(sessions.before[txn]))
        missing[txn] = len(seen)
        for other in seen:
            after.setdefault(other, []).append(txn)
    ready = [txn for txn, count in enumerate(missing) if not count]
    while ready:
        txn = ready.pop()
        yield txn
        for other in after.get(txn, ()):
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
