"""Tell from the versions of lists which transactions come before which."""

import numpy as np

from holdfast.checkers._dependency.appends import NOWHERE, UNREAD, Lists
from holdfast.checkers._dependency.graph import RW, WR, WW, Edges, Fan, Graph, fanned
from holdfast.history.columns import FAIL, Ints


def list_graph(lists: Lists, order: str) -> Graph:
    """Build all dependencies: of writes on writes, reads on writes, writes on reads."""
    replaced, fans = _replaced(lists)
    edges = [_appended(lists), _seen(lists), replaced]
    return Graph(lists.txns, edges, fans, order)


def _between(lists: Lists, kind: int, cause: Ints, effect: Ints) -> Edges:
    """Leave out what a transaction owes to itself, and what failed."""
    txns = lists.txns
    before, after = txns.txn[cause], txns.txn[effect]
    keep = (before != after) & (txns.outcome[before] != FAIL) & (txns.outcome[after] != FAIL)
    return Edges(kind, cause[keep], effect[keep])


def _appended(lists: Lists) -> Edges:
    """Each append after the one before; those that no read shows after the last that one does."""
    writer, base = lists.writer, lists.base
    later = np.ones(len(writer), dtype=bool)
    later[base[:-1][base[:-1] < len(writer)]] = False
    second = np.flatnonzero(later)
    second = second[(writer[second] >= 0) & (writer[second - 1] >= 0)]
    unread = np.flatnonzero(lists.place == UNREAD)
    key = lists.txns.key[lists.append[unread]]
    some = base[key + 1] > base[key]
    unread, final = unread[some], base[key[some] + 1] - 1
    known = writer[final] >= 0
    before = np.concatenate((writer[second - 1], writer[final[known]]))
    after = np.concatenate((writer[second], unread[known]))
    return _between(lists, WW, lists.append[before], lists.append[after])


def _seen(lists: Lists) -> Edges:
    """Each read after the append of its last element."""
    known = lists.last_append >= 0
    cause = lists.append[lists.last_append[known]]
    return _between(lists, WR, cause, lists.read[known])


def _replaced(lists: Lists) -> tuple[Edges, list[Fan]]:
    """Each read before the append that made the next version, or before all that may have."""
    key = lists.txns.key[lists.read]
    following = lists.last + 1
    inner = np.flatnonzero((lists.last != NOWHERE) & (following < lists.base[key + 1]))
    inner = inner[lists.writer[following[inner]] >= 0]
    edges = _between(
        lists, RW, lists.read[inner], lists.append[lists.writer[following[inner]]])
    unread = lists.append[lists.place == UNREAD]
    at_end = (lists.last != NOWHERE) & (following == lists.base[key + 1])
    possible = lists.txns.outcome[lists.txns.txn[unread]] != FAIL
    (cause, effect), fans = fanned(lists.txns, lists.read[at_end], unread[possible])
    joined = Edges(
        RW, np.concatenate((edges.cause, cause)), np.concatenate((edges.effect, effect)))
    return joined, fans
