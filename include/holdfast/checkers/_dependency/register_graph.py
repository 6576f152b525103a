"""Infer the order of versions of registers, and from it which transactions come before which."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.checkers._dependency.graph import (
    RW,
    WR,
    WW,
    Edges,
    Graph,
    fanned,
    matrix,
    realtime_pairs,
)
from holdfast.checkers._dependency.registers import NOBODY, Registers, readers_by_version
from holdfast.checkers._dependency.txns import spans
from holdfast.history.columns import Ints


@dataclass(frozen=True, slots=True)
class Assumed:
    """What may be taken for granted of each key by itself."""

    writes_follow_reads: bool = False
    sequential: bool = False
    linearizable: bool = False


@dataclass(frozen=True, slots=True)
class Versions:
    """Pairs of versions of which the first came first, and keys whose versions form circles."""

    before: Ints
    after: Ints
    cyclic: Sequence[tuple[int, str]]


def version_order(found: Registers, assumed: Assumed) -> Versions:
    """Join what each assumption tells; one that leads to a circle is told and left out."""
    none = np.zeros(0, dtype=np.int64)
    sources = [
        ("writes follow reads", assumed.writes_follow_reads, _wfr),
        ("sequential keys", assumed.sequential, _sequential),
        ("linearizable keys", assumed.linearizable, _linearizable),
    ]
    before, after, cyclic = none, none, list[tuple[int, str]]()
    for name, is_assumed, infer in sources:
        if is_assumed:
            first, second = infer(found)
            apart = first != second
            tried = (np.concatenate((before, first[apart])), np.concatenate((after, second[apart])))
            circles = _circles(found, *tried)
            cyclic += [(key, name) for key in circles]
            if not circles:
                before, after = tried
    return Versions(before, after, cyclic)


def _circles(found: Registers, before: Ints, after: Ints) -> list[int]:
    """Keys of the circles of versions; nothing comes before everything."""
    from scipy.sparse.csgraph import connected_components

    seen = np.unique(found.version[np.concatenate((found.reads, found.writes))])
    start = found.initial[found.key_of[seen]]
    src = np.concatenate((before, start[start != seen])).astype(np.int32)
    dst = np.concatenate((after, seen[start != seen])).astype(np.int32)
    graph = matrix(src, dst, found.sizes)
    label = connected_components(graph, directed=True, connection="strong")[1]
    big = np.flatnonzero(np.bincount(label) > 1)
    return sorted(int(found.key_of[np.flatnonzero(label == number)[0]]) for number in big)


def _wfr(found: Registers) -> tuple[Ints, Ints]:
    """In one transaction what is read comes before what is written."""
    read, write = _touching(found)
    both = (read != NOBODY) & (write != NOBODY)
    start = found.version[read[both]]
    told = start != found.initial[found.key_of[start]]
    return start[told], found.version[write[both]][told]


def _touching(found: Registers) -> tuple[Ints, Ints]:
    """For each transaction and key touched from outside: its read and its write, or NOBODY."""
    txns, wide = found.txns, len(found.txns.keys)
    ops = np.concatenate((found.reads, found.writes))
    codes, place = np.unique(txns.txn[ops] * wide + txns.key[ops], return_inverse=True)
    read, write = np.full(len(codes), NOBODY), np.full(len(codes), NOBODY)
    read[place[:len(found.reads)]] = found.reads
    write[place[len(found.reads):]] = found.writes
    return read, write


def _ends(found: Registers) -> tuple[Ints, Ints, Ints, Ints]:
    """What each transaction first and last saw of each key, with that transaction and key."""
    read, write = _touching(found)
    first, last = np.where(read >= 0, read, write), np.where(write >= 0, write, read)
    key, txn = found.txns.key[first], found.txns.txn[first]
    return found.version[first], found.version[last], txn, key


def _sequential(found: Registers) -> tuple[Ints, Ints]:
    """What a process saw of a key comes before what it saw later."""
    first, last, txn, key = _ends(found)
    ok = np.flatnonzero(found.txns.is_ok[txn] & (found.txns.process[txn] >= 0))
    order = ok[np.lexsort((txn[ok], key[ok], found.txns.process[txn[ok]]))]
    same = (found.txns.process[txn[order[1:]]] == found.txns.process[txn[order[:-1]]]) & (
        key[order[1:]] == key[order[:-1]])
    return last[order[:-1][same]], first[order[1:][same]]


def _linearizable(found: Registers) -> tuple[Ints, Ints]:
    """What was seen of a key comes before what was seen by whoever began later."""
    first, last, txn, key = _ends(found)
    order = np.argsort(key, kind="stable")
    before, after = realtime_pairs(found.txns, txn[order], key[order])
    return last[order[before]], first[order[after]]


def register_graph(found: Registers, versions: Versions, order: str) -> Graph:
    """Build all dependencies that the order of versions, as far as it is known, shows."""
    txn, reads = found.txns.txn, found.reads
    writer = found.writer[found.version[reads]]
    seen = (writer != NOBODY) & np.isin(writer, found.writes) & (txn[writer] != txn[reads])
    cause, effect = found.writer[versions.before], found.writer[versions.after]
    both = (cause != NOBODY) & (effect != NOBODY)
    both[both] = txn[cause[both]] != txn[effect[both]]
    edges = [
        Edges(WW, cause[both], effect[both]),
        Edges(WR, writer[seen], reads[seen]),
        _replaced(found, versions),
    ]
    (cause, effect), fans = fanned(found.txns, *_first_writes(found))
    return Graph(found.txns, [*edges, Edges(RW, cause, effect)], fans, order)


def _replaced(found: Registers, versions: Versions) -> Edges:
    """Readers of a version before the writer of a later one."""
    reads, starts = readers_by_version(found)
    effect = found.writer[versions.after]
    known = np.flatnonzero(effect != NOBODY)
    before, effect = versions.before[known], effect[known]
    count = starts[before + 1] - starts[before]
    cause, effect = reads[spans(starts[before], count)], np.repeat(effect, count)
    apart = found.txns.txn[cause] != found.txns.txn[effect]
    return Edges(RW, cause[apart], effect[apart])


def _first_writes(found: Registers) -> tuple[Ints, Ints]:
    """Who read nothing, and all who wrote; nothing comes before every value."""
    key, version = found.txns.key, found.version
    nothing = found.reads[version[found.reads] == found.initial[key[found.reads]]]
    return nothing, found.writes[version[found.writes] != found.initial[key[found.writes]]]
