"""Find what is wrong with single reads and updates of lists: all that needs no cycle."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from holdfast.checkers._dependency.appends import NOBODY, UNREAD, Lists
from holdfast.checkers._dependency.groups import Groups
from holdfast.checkers._dependency.sights import Sights
from holdfast.checkers._dependency.txns import Bools, spans
from holdfast.checkers._dependency.words import key_of, name_of, op_text, ops_text, value_of
from holdfast.history.columns import FAIL, Ints

_NONE = np.iinfo(np.int64).max


def look_at_reads(lists: Lists) -> Sights:
    """Name every anomaly of reads and updates."""
    sights, view = Sights(), _View.of(lists)
    _orders(view, sights)
    _swapped(view, sights)
    _other_writers(view, sights)
    _own_writes(view, sights)
    _lost_updates(view, sights)
    return sights


@dataclass(frozen=True, slots=True)
class _View:
    """What all of them need: the lists, the micro-operations by transaction and key, odd reads."""

    lists: Lists
    groups: Groups
    odd_read: Ints
    odd_append: Ints

    @classmethod
    def of(cls, lists: Lists) -> "_View":
        odd, txns = np.flatnonzero(lists.is_odd), lists.txns
        read, count = lists.read[odd], lists.length[odd]
        atom = txns.history.transactions.reads[spans(txns.low[read], count)]
        append = lists.lookup.find(np.repeat(txns.key[read], count), atom)
        return cls(lists, Groups.of(txns, alone=False), np.repeat(odd, count), append)

    @property
    def is_ok(self) -> Bools:
        """Which reads were acknowledged."""
        return self.lists.txns.is_ok[self.lists.txns.txn[self.lists.read]]

    def showing(self, appends: Bools) -> Ints:
        """Reads that show one of these appends (a flag for each append)."""
        lists = self.lists
        first = np.full(len(lists.txns.keys), _NONE)
        chosen = np.flatnonzero(appends & (lists.place >= 0))
        key = lists.txns.key[lists.append[chosen]]
        np.minimum.at(first, key, lists.place[chosen] - lists.base[key])
        plain = np.flatnonzero(~lists.is_odd)
        plain = plain[lists.length[plain] > first[lists.txns.key[lists.read[plain]]]]
        odd = self.odd_read[(self.odd_append >= 0) & appends[self.odd_append]]
        return cast(Ints, np.union1d(plain, odd))

    def writers(self) -> Ints:
        """What became of the transaction of each append."""
        lists = self.lists
        return cast(Ints, lists.txns.outcome[lists.txns.txn[lists.append]])

    def tell(self, read: int, what: str) -> str:
        """A sentence about a read."""
        lists = self.lists
        op = int(lists.read[read])
        who = name_of(lists.txns, int(lists.txns.txn[op]))
        return f"{who} did {op_text(lists.txns, op)}: {what}"


def _orders(view: _View, sights: Sights) -> None:
    """Reads that no one order of appends explains."""
    lists, txns = view.lists, view.lists.txns
    stray = np.flatnonzero(lists.is_stray)

    def conflict(read: int) -> str:
        longest = lists.read[lists.longest[txns.key[lists.read[read]]]]
        return view.tell(read, f"no prefix of {value_of(txns, int(longest))}, read elsewhere")

    _, first = np.unique(txns.key[lists.read[stray]], return_index=True)
    sights.add("incompatible-order", stray[first], conflict)
    known = view.odd_append >= 0
    code = view.odd_read[known] * (len(lists.append) + 1) + view.odd_append[known]
    twice, count = np.unique(code, return_counts=True)
    sights.add(
        "duplicate-elements", twice[count > 1] // (len(lists.append) + 1),
        lambda read: view.tell(read, "an element is there twice"))


def _swapped(view: _View, sights: Sights) -> None:
    """Appends of one transaction to one list that reads show in another order than they were."""
    lists, txns = view.lists, view.lists.txns
    place = np.full(len(txns.txn), UNREAD)
    place[lists.append] = lists.place
    earlier = view.groups.before(view.groups.is_write_op)
    later = lists.append[(earlier[lists.append] >= 0) & (lists.place >= 0)]
    later = later[(place[earlier[later]] > place[later]) & (txns.outcome[txns.txn[later]] != FAIL)]
    sights.add(
        "incompatible-order", txns.txn[later],
        lambda txn: (f"{name_of(txns, txn)} appended in another order than reads show: "
                     f"{ops_text(txns, txn)}"))


def _other_writers(view: _View, sights: Sights) -> None:
    """Reads of what was aborted, unfinished, or never appended at all; updates on top of it."""
    lists, txns = view.lists, view.lists.txns
    failed, ok = view.writers() == FAIL, view.is_ok
    aborted = view.showing(failed)
    sights.add(
        "G1a", aborted[ok[aborted]],
        lambda read: view.tell(read, "it shows an append of a transaction that failed"))
    last = np.flatnonzero(ok & (lists.last_append >= 0))
    append = lists.append[lists.last_append[last]]
    midway = view.groups.is_followed[append] & (txns.txn[append] != txns.txn[lists.read[last]])
    sights.add(
        "G1b", last[midway],
        lambda read: view.tell(read, "the writer of its last element appended more to it later"))
    sights.add(
        "garbage-read", _garbage(view),
        lambda read: view.tell(read, "it shows an element that no transaction appended"))
    _dirty_updates(view, failed, sights)


def _garbage(view: _View) -> Ints:
    lists = view.lists
    first = np.full(len(lists.txns.keys), _NONE)
    nobody = np.flatnonzero(lists.writer == NOBODY)
    key = np.searchsorted(lists.base, nobody, side="right") - 1
    np.minimum.at(first, key, nobody - lists.base[key])
    plain = np.flatnonzero(~lists.is_odd)
    plain = plain[lists.length[plain] > first[lists.txns.key[lists.read[plain]]]]
    return cast(Ints, np.union1d(plain, view.odd_read[view.odd_append == NOBODY]))


def _dirty_updates(view: _View, failed: Bools, sights: Sights) -> None:
    lists, txns = view.lists, view.lists.txns
    newest = np.full(len(txns.keys), -1)
    key = txns.key[lists.append]
    is_ok = txns.is_ok[txns.txn[lists.append]] & (lists.place >= 0)
    np.maximum.at(newest, key[is_ok], lists.place[is_ok])
    dirty = failed & (lists.place >= 0) & (lists.place < newest[key])

    def tell(append: int) -> str:
        op = int(lists.append[append])
        return (f"{name_of(txns, int(txns.txn[op]))} failed, and yet its {op_text(txns, op)} was"
                " built upon by one that did not")

    sights.add("dirty-update", np.flatnonzero(dirty), tell)


def _own_writes(view: _View, sights: Sights) -> None:
    """Reads that contradict what the same transaction read or appended before, or did later."""
    lists, txns = view.lists, view.lists.txns
    contradicted = np.concatenate((_after_reads(view), _after_appends(view)))
    sights.add(
        "internal", txns.txn[contradicted],
        lambda txn: f"{name_of(txns, txn)} contradicts itself: {ops_text(txns, txn)}")
    groups = view.groups
    append_op = lists.append
    seen = groups.longest_before(_by_op(view, np.where(lists.is_odd, 0, lists.length), 0))
    place = lists.place - lists.base[txns.key[append_op]]
    future = txns.txn[append_op[(lists.place >= 0) & (seen[append_op] > place)]]
    known = view.odd_append >= 0
    by, read = lists.append[view.odd_append[known]], lists.read[view.odd_read[known]]
    odd = txns.txn[by[(txns.txn[by] == txns.txn[read]) & (by > read)]]
    both = np.concatenate((future, odd))
    sights.add(
        "future-read", both[txns.is_ok[both]],
        lambda txn: f"{name_of(txns, txn)} read what it appended later: {ops_text(txns, txn)}")


def _by_op(view: _View, of_read: Ints, otherwise: int) -> Ints:
    """Spread a figure of acknowledged reads over all micro-operations."""
    spread = np.full(len(view.lists.txns.txn), otherwise)
    spread[view.lists.read[view.is_ok]] = of_read[view.is_ok]
    return spread


def _after_reads(view: _View) -> Ints:
    """Reads that differ from the one before plus what was appended in between."""
    lists, txns = view.lists, view.lists.txns
    number = _by_op(view, np.arange(len(lists.read)), -1)
    earlier, appended = view.groups.read_before(number >= 0)
    later = np.flatnonzero((number >= 0) & (earlier >= 0))
    first, second = number[earlier[later]], number[later]
    wrong = lists.length[second] != lists.length[first] + appended[later]
    doubtful = np.flatnonzero(~wrong & (lists.is_odd[first] | lists.is_odd[second]))
    count = lists.length[first[doubtful]]
    reads = txns.history.transactions.reads
    differs = (reads[spans(txns.low[lists.read[first[doubtful]]], count)]
               != reads[spans(txns.low[lists.read[second[doubtful]]], count)])
    wrong[np.repeat(doubtful, count)[differs]] = True
    return cast(Ints, later[wrong])


def _after_appends(view: _View) -> Ints:
    """Reads that do not end in what the same transaction appended just before."""
    lists, txns = view.lists, view.lists.txns
    is_read = _by_op(view, np.arange(len(lists.read)), -1) >= 0
    later, back = view.groups.read_after(is_read)
    own = lists.append[later[lists.append] >= 0]
    read, back = later[own], back[own]
    short = txns.high[read] - txns.low[read] < back
    at = np.where(short, 0, txns.high[read] - back)
    reads = txns.history.transactions.reads
    wrong = short if not len(reads) else short | (reads[at] != txns.atom[own])
    return cast(Ints, read[wrong])


def _lost_updates(view: _View, sights: Sights) -> None:
    """Transactions that read the same version of a list and then appended to it."""
    lists, txns = view.lists, view.lists.txns
    is_read = _by_op(view, np.arange(len(lists.read)), -1)
    read_op = view.groups.read_then_append(is_read >= 0)
    read = is_read[read_op]
    state = _state(view, read)
    order = np.argsort(state, kind="stable")
    same = state[order][1:] == state[order][:-1]
    second = order[1:][same]

    def tell(op: int) -> str:
        return (f"{name_of(txns, int(txns.txn[op]))} and another one each did {op_text(txns, op)}"
                f" and then appended to {key_of(txns, op)}")

    sights.add("lost-update", read_op[second], tell)


def _state(view: _View, read: Ints) -> Ints:
    """Number what reads saw: equal numbers saw the same list of the same key."""
    lists, txns = view.lists, view.lists.txns
    widest = int(lists.length.max(initial=0)) + 1
    state = txns.key[lists.read[read]] * widest + lists.length[read]
    beyond, numbers = len(txns.keys) * widest, dict[tuple[int, ...], int]()
    for at in np.flatnonzero(lists.is_odd[read]):
        op = int(lists.read[read[at]])
        seen = (int(txns.key[op]), *txns.read(op))
        state[at] = beyond + numbers.setdefault(seen, len(numbers))
    return state
