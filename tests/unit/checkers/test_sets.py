"""R6: what was added to a set stays in it, once."""

import random

import numpy as np
import pytest

from holdfast.checkers import _sets
from holdfast.checkers._sets import Adds, Reads
from holdfast.checkers.set_full import Fates
from holdfast.errors import CheckError
from support.histories import done, history, judged


def names(found):
    return {name: list(places) for name, places in found.anomalies.items() if places}


ADDS = [row for n in range(3) for row in done(0, "add", n)]


@pytest.mark.parametrize(("rows", "told"), [
    ([*ADDS, *done(1, "read", None, [2, 0, 1])], ("valid", {})),
    ([*ADDS, *done(1, "read", None, [0, 2])], ("invalid", {"lost": ["1"]})),
    ([*ADDS, *done(1, "read", None, [0, 1, 2, 9])], ("invalid", {"unexpected": ["9"]})),
    ([*ADDS, *done(1, "read", None, [0, 1, 2, 1])], ("invalid", {"duplicated": ["1"]})),
    ([*ADDS, *done(1, "read", None, [0, 1, 2, 9, 9])],
     ("invalid", {"unexpected": ["9"], "duplicated": ["9"]})),
    ([*ADDS, *done(0, "add", 3, kind="fail"), *done(1, "read", None, [0, 1, 2, 3])],
     ("invalid", {"unexpected": ["3"]})),
    ([*ADDS, *done(5, "add", 3, kind="info"), *done(1, "read", None, [0, 1, 2, 3])], ("valid", {})),
    ([*ADDS, *done(5, "add", 3, kind="info"), *done(1, "read", None, [0, 1, 2])], ("valid", {})),
    (ADDS, ("unknown", {})), ([*ADDS, *done(1, "read", None, kind="info")], ("unknown", {})),
])
@pytest.mark.parametrize("name", ["set", "set_full"])
def test_one_read(name, rows, told):
    found = judged(name, rows)
    assert told == (found.outcome, names(found))


def test_an_addition_under_way_during_the_last_read_may_be_in_it_or_not():
    rows = [*ADDS, (7, "invoke", "add", 7), (1, "invoke", "read", None), (7, "ok", "add", 7)]
    assert ["valid"] * 4 == [
        judged(name, [*rows, (1, "ok", "read", told)]).outcome
        for name in ("set", "set_full") for told in ([0, 1, 2], [0, 1, 2, 7])]


def test_a_refused_addition_that_was_tried_again_is_no_surprise():
    rows = [*done(0, "add", 0, kind="fail"), *done(0, "add", 0), *done(1, "read", None, [0])]
    assert ["valid"] * 2 == [judged(name, rows).outcome for name in ("set", "set_full")]


def test_elements_may_be_anything():
    rows = [*done(0, "add", "é"), *done(0, "add", [1, "x"]), *done(0, "add", {"key": 5, "more": 6}),
            *done(1, "read", None, ["é", 5])]
    assert {"lost": ['[1 "x"]']} == names(judged("set", rows))


def test_how_much_was_lost_is_a_recovery_point():
    rows = [row for n in range(12) for row in done(0, "order", n)]
    found = judged("lost_writes", [*rows, *done(1, "read", None, [*range(9)])])
    assert {"recovery_point": {"rows": 3, "seconds": 0.004}} == found.details
    assert ["9", "10", "11"] == found.anomalies["lost"]


def test_few_writes_prove_nothing():
    assert "unknown" == judged("lost_writes", [*ADDS, *done(1, "read", None, [0, 1, 2])]).outcome


@pytest.mark.parametrize(("reads", "told"), [
    (([0, 1, 2], [0, 2]), ("invalid", {"lost": ["1"]})),
    (([0, 2], [0, 1, 2]), ("valid", {})),
    (([0, 1, 2], [0, 2], [0, 1, 2]), ("valid", {})),
    (([0, 1, 2, 2], [0, 1, 2]), ("invalid", {"duplicated": ["2"]})),
    (([0, 1, 2, 8], [0, 1, 2]), ("invalid", {"unexpected": ["8"]})),
])
def test_every_read_counts(reads, told):
    rows = [*ADDS, *(row for read in reads for row in done(1, "read", None, read))]
    found = judged("set_full", rows)
    assert told == (found.outcome, names(found))


def test_what_is_seen_late_is_an_anomaly_where_it_was_promised_at_once():
    rows = [*ADDS, *done(1, "read", None, [0, 2]), *done(1, "read", None, [0, 1, 2])]
    found = judged("set_full", rows, linearizable=True)
    assert ("invalid", ["1"], {"stale": "1 after 3 ms"}) == (
        found.outcome, found.anomalies["stale"], found.worst)


def test_two_reads_side_by_side_may_differ():
    """One began before the other ended: nothing says which saw the set first."""
    rows = [*ADDS, (1, "invoke", "read", None), (2, "invoke", "read", None),
            (2, "ok", "read", [0, 2]), (1, "ok", "read", [0, 1, 2])]
    assert "valid" == judged("set_full", rows).outcome


def test_what_no_read_followed_is_counted():
    found = judged("set_full", [*ADDS, *done(1, "read", None, [0, 1, 2]), *done(0, "add", 9)])
    assert ("valid", 1, 3) == (found.outcome, found.counts["never_read"], found.counts["stable"])


def test_sets_of_many_keys():
    rows = [*done(0, "add", [1, 5]), *done(0, "add", [2, 5]),
            *done(1, "read", [1, None], [1, [5]]), *done(1, "read", [2, None], [2, []])]
    assert ("invalid", {"lost": ["key 2: 5"]}) == (
        (found := judged("set_full", rows)).outcome, names(found))


@pytest.mark.parametrize(("rows", "told"), [
    ([*ADDS, *done(1, "read", None, 5)], "gives no list"), (done(1, "add", None), "does not tell"),
    (done(1, "add", {"name": 1}), "has no key"),
])
def test_a_history_of_something_else_is_refused(rows, told):
    with pytest.raises(CheckError, match=told):
        judged("set_full", rows)


def test_more_than_memory_holds_is_refused(monkeypatch):
    monkeypatch.setattr(_sets, "_LARGEST", 0)
    with pytest.raises(CheckError, match="split the history"):
        judged("set_full", [*ADDS, *done(1, "read", None, [0])])


def slowly(rows):
    """The definition of each fate, element by element and read by read."""
    built = history(*rows)
    adds = Adds.of(built)
    reads = Reads.of(built, adds)
    known, absent, present = [], [], []
    for n in range(len(adds)):
        bits = [np.unpackbits(row)[n] for row in reads.present]
        have = [int(d) for d, bit in zip(reads.done, bits, strict=True) if bit]
        lack = [int(b) for b, bit in zip(reads.begun, bits, strict=True) if not bit]
        told = [int(adds.done[n])] if adds.done[n] >= 0 else []
        known.append(min(have + told, default=np.iinfo(np.int64).max))
        absent.append(max(lack, default=-1))
        present.append(max(have, default=-1))
    fates = Fates.of(adds, reads)
    return (known, absent, present), tuple(
        column.tolist() for column in (fates.known, fates.absent, fates.present))


def simulated(seed):
    """A correct set under load; it is read alone in the end."""
    chance, there, rows, open_, fresh = random.Random(seed), [], [], {}, 0
    for n in range(300):
        process = chance.randrange(6) if n < 280 else 5
        if process in open_:
            f, value = open_.pop(process)
            kind = "info" if chance.random() < 0.1 and f == "add" else "ok"
            if f == "add" and (kind == "ok" or chance.random() < 0.5):
                there.append(value)
            rows.append((process, kind, f, list(there) if f == "read" else value))
        else:
            f = "add" if chance.random() < 0.8 and n < 280 else "read"
            fresh += f == "add"
            open_[process] = f, fresh if f == "add" else None
            rows.append((process, "invoke", f, open_[process][1]))
    return rows


@pytest.mark.parametrize("seed", range(30))
def test_a_correct_set_is_never_invalid(seed):
    rows = simulated(seed)
    assert ["valid"] * 2 == [judged("set_full", rows, linearizable=True).outcome,
                             judged("set", rows).outcome]


@pytest.mark.parametrize("seed", range(30))
def test_fates_are_those_of_the_definition(seed):
    rows = simulated(seed)
    chance = random.Random(seed)
    for n, (process, kind, f, value) in enumerate(rows):
        if (kind, f) == ("ok", "read"):
            rows[n] = (process, kind, f, [v for v in value if chance.random() < 0.9])
    slow, fast = slowly(rows)
    assert slow == fast


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("mutation", "name"), [
    (lambda _: [], "lost"), (lambda read: [*read, read[0]], "duplicated"),
    (lambda read: [*read, 10**6], "unexpected"),
])
def test_each_mutation_of_the_last_read_is_named(seed, mutation, name):
    rows = simulated(seed)
    last = max(n for n, row in enumerate(rows) if row[1:3] == ("ok", "read"))
    process, kind, f, value = rows[last]
    rows[last] = (process, kind, f, mutation(value))
    rows = [row for n, row in enumerate(rows) if n <= last]
    asked = max(n for n, row in enumerate(rows) if row[:3] == (process, "invoke", "read"))
    rows = [*rows[:asked], *(r for r in rows[asked:] if r[0] != process), rows[asked], rows[last]]
    for checker in ("set", "set_full"):
        assert name in names(judged(checker, rows))
