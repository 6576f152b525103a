"""Know in which order the elements of each list were appended, from the longest read of it."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from holdfast.checkers._dependency.txns import Bools, Txns, dense, spans
from holdfast.errors import CheckError
from holdfast.history.columns import FAIL, Ints, Kind, Shape

_CHUNK = 1 << 20
"""Elements compared at a time, to bound memory."""

UNREAD = -1
"""Where an append stands that no read shows."""

NOWHERE = -2
"""The version of a read whose last element is not in the order of versions."""

NOBODY = -1
"""Who appended an element that no transaction ever tried to append."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """From key and element to what appended it, by one sorted column."""

    elements: Ints
    code: Ints
    order: Ints

    @classmethod
    def build(cls, key: Ints, atom: Ints) -> "Lookup":
        elements, number = dense(atom)
        code = key * max(1, len(elements)) + number
        order = np.argsort(code, kind="stable")
        return cls(elements, code[order], order)

    def find(self, key: Ints, atom: Ints) -> Ints:
        """Name the appends (by their place in what was given to `build`), or NOBODY."""
        if not len(self.code):
            return np.full(len(key), NOBODY)
        number = np.searchsorted(self.elements, atom).clip(max=len(self.elements) - 1)
        code = key * len(self.elements) + number
        at = np.searchsorted(self.code, code).clip(max=len(self.code) - 1)
        is_there = (self.elements[number] == atom) & (self.code[at] == code)
        return np.where(is_there, self.order[at], NOBODY)


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a history: appends, reads, and the order of versions that the reads show.

    A version is the state of a list after one append: versions `base[k]` to `base[k + 1]` are those
    of key `k` in their order, `writer` names the append of each (NOBODY if there is none). `place`
    is the version that an append made, or UNREAD. `last` is the version that a read saw; an
    empty list is `base[k] - 1`, which is what comes before the first version of the key.

    A read that is no prefix of the longest is `is_stray`; `is_odd` are these and those of lists
    that hold an element twice: length says nothing about their version, which may be unknown
    (NOWHERE).
    """

    txns: Txns
    append: Ints
    read: Ints
    length: Ints
    is_stray: Bools
    is_odd: Bools
    base: Ints
    writer: Ints
    place: Ints
    last: Ints
    last_append: Ints
    lookup: Lookup
    longest: Ints


def lists(txns: Txns) -> Lists:
    """Find the order of versions of each list."""
    _refuse_shapes(txns)
    append = np.flatnonzero(txns.kind == Kind.APPEND)
    lookup = Lookup.build(txns.key[append], txns.atom[append])
    _refuse_duplicates(txns, append, lookup)
    read = _reads(txns, append, lookup)
    length, key = txns.high[read] - txns.low[read], txns.key[read]
    longest = _longest(key, length, len(txns.keys))
    writer_of, has_duplicates, base = _versions(txns, read, longest, lookup)
    place = np.full(len(append), UNREAD)
    is_known = writer_of >= 0
    place[writer_of[is_known]] = np.flatnonzero(is_known)
    is_stray = _is_stray(txns, read, longest)
    is_odd = is_stray | (has_duplicates[key] & (length > 0))
    last, last_append = _last(txns, read, is_odd, (base, writer_of, place, lookup))
    return Lists(
        txns, append, read, length, is_stray, is_odd, base, writer_of, place, last, last_append,
        lookup, longest,
    )


def _refuse_shapes(txns: Txns) -> None:
    is_append = txns.kind == Kind.APPEND
    if (txns.shape[is_append] != Shape.ATOM).any():
        raise CheckError("what is appended to a list must be one element")
    if (txns.shape[~is_append & txns.told] == Shape.ATOM).any():
        raise CheckError("reads must tell whole lists: for single values use rw_register")


def _refuse_duplicates(txns: Txns, append: Ints, lookup: Lookup) -> None:
    again = np.flatnonzero(lookup.code[1:] == lookup.code[:-1])
    if len(again):
        op = append[lookup.order[again[0]]]
        key, element = (txns.history.atoms.text(int(c)) for c in (txns.keys[txns.key[op]],
                                                                   txns.atom[op]))
        raise CheckError(f"{element} was appended to {key} more than once: orders are not known")


def _reads(txns: Txns, append: Ints, lookup: Lookup) -> Ints:
    """Reads that tell something: of unsure transactions only what those saw that did happen.

    A store that undoes a transaction owes nothing to what it read before.
    """
    is_read = (txns.kind == Kind.READ) & txns.told & (txns.outcome[txns.txn] != FAIL)
    saw, is_ok = txns.high > txns.low, txns.is_ok[txns.txn]
    read, unsure = np.flatnonzero(is_read & is_ok), np.flatnonzero(is_read & ~is_ok & saw)
    if not len(unsure):
        return cast(Ints, read)
    happened = np.zeros(len(txns), dtype=bool)
    happened[txns.txn[append[_shown(txns, read, lookup)]]] = True
    return cast(Ints, np.union1d(read, unsure[happened[txns.txn[unsure]]]))


def _shown(txns: Txns, read: Ints, lookup: Lookup) -> Ints:
    """The appends that the longest of these reads of each key show."""
    longest = _longest(txns.key[read], txns.high[read] - txns.low[read], len(txns.keys))
    chosen = read[longest[longest >= 0]]
    count = txns.high[chosen] - txns.low[chosen]
    atom = txns.history.transactions.reads[spans(txns.low[chosen], count)]
    found = lookup.find(np.repeat(txns.key[chosen], count), atom)
    return found[found >= 0]


def _longest(key: Ints, length: Ints, keys: int) -> Ints:
    """Which read of each key is the longest (the first such), -1 where all were empty."""
    found = np.full(keys, -1)
    most = np.zeros(keys, dtype=np.int64)
    np.maximum.at(most, key, length)
    best = np.flatnonzero((length == most[key]) & (length > 0))[::-1]
    found[key[best]] = best
    return found


def _versions(
    txns: Txns, read: Ints, longest: Ints, lookup: Lookup
) -> tuple[Ints, Bools, Ints]:
    """Appends in the order of versions, keys with an element twice, where each key begins."""
    has = np.flatnonzero(longest >= 0)
    chosen = read[longest[has]]
    count = txns.high[chosen] - txns.low[chosen]
    atom = txns.history.transactions.reads[spans(txns.low[chosen], count)]
    key = np.repeat(has, count)
    number = dense(atom)[1]
    code = key * (int(number.max(initial=0)) + 1) + number
    order = np.argsort(code, kind="stable")
    is_again = np.zeros(len(code), dtype=bool)
    is_again[order[1:]] = code[order[1:]] == code[order[:-1]]
    has_duplicates = np.zeros(len(txns.keys), dtype=bool)
    has_duplicates[key[is_again]] = True
    key, atom = key[~is_again], atom[~is_again]
    base = np.concatenate(([0], np.cumsum(np.bincount(key, minlength=len(txns.keys)))))
    return lookup.find(key, atom), has_duplicates, base


def _is_stray(txns: Txns, read: Ints, longest: Ints) -> Bools:
    """Which reads are no prefix of the longest read of their key."""
    low, length = txns.low[read], txns.high[read] - txns.low[read]
    best = read[longest[txns.key[read]].clip(min=0)] if len(read) else read
    shift = txns.low[best] - low
    values = txns.history.transactions.reads
    odd = np.zeros(len(read), dtype=bool)
    todo = np.flatnonzero((length > 0) & (shift != 0))
    ends = np.cumsum(length[todo])
    begin = 0
    while begin < len(todo):
        done = ends[begin - 1] if begin else 0
        stop = max(begin + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        part = todo[begin:stop]
        at = spans(low[part], length[part])
        differs = values[at] != values[at + np.repeat(shift[part], length[part])]
        if differs.any():
            odd[np.repeat(part, length[part])[differs]] = True
        begin = stop
    return odd


def _last(
    txns: Txns, read: Ints, is_odd: Bools, known: tuple[Ints, Ints, Ints, Lookup]
) -> tuple[Ints, Ints]:
    """The version and the append of the last element of each read."""
    base, writer_of, place, lookup = known
    length, key = txns.high[read] - txns.low[read], txns.key[read]
    last = base[key] + length - 1
    saw = length > 0
    append = np.full(len(read), NOBODY)
    plain = saw & ~is_odd
    append[plain] = writer_of[last[plain]]
    odd = np.flatnonzero(is_odd)
    atom = txns.history.transactions.reads[txns.high[read[odd]] - 1]
    append[odd] = lookup.find(key[odd], atom)
    last[odd] = np.where(append[odd] >= 0, place[append[odd]], NOBODY)
    last[odd] = np.where(last[odd] >= 0, last[odd], NOWHERE)
    return last, append
