"""Histories of many independent objects: the rows of each key apart from the others."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from holdfast.errors import CheckError
from holdfast.history.columns import INVOKE, NEMESIS, NIL, OK, History, Ints, Shape, Transactions
from holdfast.history.values import Values

_PAIR = 2


def parts(history: History) -> Iterator[tuple[str, History]]:
    """Each key as text, and its rows; one without a name if rows have no keys.

    A key is a field of the row, or stands before the value as Jepsen's independent workloads
    write it: [key value], in every row of a client. CheckError, with its place, for a client's row
    without a key among rows that have one, and for an operation that ends under another key than
    it began: it is nobody's, and would be judged by nobody.
    """
    history = _unkeyed(history)
    clients = history.process != NEMESIS
    keys = history.key[clients]
    if not len(keys) or (keys == NIL).all():
        yield "", history
        return
    _check_keys(history, np.flatnonzero(clients))
    order = np.argsort(history.key, kind="stable")
    found, begins = np.unique(history.key[order], return_index=True)
    for key, rows in zip(found, np.split(order, begins[1:]), strict=True):
        if int(key) != NIL or len(found) == 1:
            yield history.atoms.text(int(key)), taken(history, rows)


def _check_keys(history: History, clients: Ints) -> None:
    lost = clients[history.key[clients] == NIL]
    if len(lost):
        raise CheckError(f"operation {int(history.index[lost[0]])} has no key, and others have")
    ended = clients[(history.pair[clients] >= 0) & (history.type[clients] != INVOKE)]
    strayed = ended[history.key[ended] != history.key[history.pair[ended]]]
    if len(strayed):
        row = int(strayed[0])
        began, end = (history.atoms.text(int(history.key[r])) for r in (history.pair[row], row))
        raise CheckError(f"operation {int(history.index[row])} ends with key {end}, and began "
                         f"with {began}")


def taken(history: History, rows: Ints) -> History:
    """Some rows as a history, pairs of rows always both; transactions stay behind."""
    place = np.full(len(history) + 1, -1, np.int64)
    place[rows] = np.arange(len(rows))
    offsets, wanted = _cut(history.item_offsets, rows)
    none = np.zeros(0, np.int64)
    return replace(
        history, index=history.index[rows], process=history.process[rows],
        type=history.type[rows], f=history.f[rows], time_ns=history.time_ns[rows],
        pair=place[history.pair[rows]], key=history.key[rows], shape=history.shape[rows],
        atom=history.atom[rows], item_offsets=offsets, items=history.items[wanted],
        transactions=Transactions(
            np.zeros(len(rows) + 1, np.int64), none.astype(np.uint8), none,
            none.astype(np.uint8), none, np.zeros(1, np.int64), none),
    )


def _cut(offsets: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Offsets of the lists of some rows, and where their items stand."""
    lengths = offsets[rows + 1] - offsets[rows]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    return ends, np.repeat(offsets[rows], lengths) + within


def _unkeyed(history: History) -> History:
    """Move keys out of the values, if they stand there; what did not succeed need not tell it."""
    invoked = history.invocations
    ends = history.pair[invoked][history.pair[invoked] >= 0]
    silent = ends[(history.type[ends] != OK) & (history.shape[ends] == Shape.NIL)]
    told = np.setdiff1d(np.union1d(invoked, ends), silent)
    lengths = np.diff(history.item_offsets)[told]
    if not len(told) or (history.key[told] != NIL).any() \
            or (history.shape[told] != Shape.LIST).any() or (lengths != _PAIR).any():
        return history
    if not _asks_by_key(history, invoked):
        return history
    values, keys = Values(history.atoms), history.key.copy()
    keyed = set(told.tolist())
    for row in range(len(history)):
        if row in keyed:
            key, code = history.list_of(row).tolist()
            keys[row] = key
            values.add(history.atoms.value(code), is_txn=False, plain=False)
        else:
            values.add(None, is_txn=False, plain=False)
    keys[silent] = keys[history.pair[silent]]
    shape, atom, offsets, items, transactions = values.columns()
    return replace(history, key=keys, shape=shape, atom=atom, item_offsets=offsets, items=items,
                   transactions=transactions, atoms=values.atoms())


def _asks_by_key(history: History, invoked: Ints) -> bool:
    """Whether a question names its key, and nothing else: [key nil]."""
    second = history.items[history.item_offsets[invoked] + 1]
    reads = history.are("read")[invoked]
    return bool(reads.any() and (second[reads] == NIL).all())
