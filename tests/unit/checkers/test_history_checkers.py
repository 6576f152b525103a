"""R6: counters, identifiers, balances and forks, by a history alone."""

import random

import pytest

from holdfast.errors import CheckError
from support.histories import done, judged

BIG = 2**62 - 1


def told(found):
    return found.outcome, {name: list(v) for name, v in found.anomalies.items() if v}


@pytest.mark.parametrize(("rows", "outcome"), [
    ([*done(0, "add", 2), *done(1, "read", None, 2)], "valid"),
    ([*done(0, "add", 2), *done(1, "read", None, 1)], "invalid"),
    ([*done(0, "add", 2), *done(1, "read", None, 3)], "invalid"),
    ([*done(0, "add", 2, kind="fail"), *done(1, "read", None, 2)], "invalid"),
    ([*done(0, "add", 2, kind="info"), *done(1, "read", None, 2)], "valid"),
    ([*done(0, "add", 2, kind="info"), *done(1, "read", None, 0)], "valid"),
    ([(0, "invoke", "add", 2), *done(1, "read", None, 2)], "valid"),
    ([*done(0, "add", -2), *done(1, "read", None, -2)], "valid"),
    ([(0, "invoke", "add", -2), *done(1, "read", None, -2)], "valid"),
    ([*done(0, "add", -2), *done(1, "read", None, -1)], "invalid"),
    ([*done(1, "read", None, 0), *done(0, "add", 2)], "valid"),
    ([*done(1, "read", None, 2), *done(0, "add", 2)], "invalid"),
    (done(0, "add", 2), "unknown"),
    ([*done(0, "add", BIG) * 4, *done(1, "read", None, -4)], "invalid"),
    ([*done(0, "add", BIG) * 2, *done(0, "add", -BIG), *done(1, "read", None, BIG)], "valid"),
])
def test_a_counter(rows, outcome):
    assert outcome == judged("counter", rows).outcome


def test_the_worst_read_of_a_counter_is_named():
    rows = [*done(0, "add", 2), *done(1, "read", None, 3), *done(1, "read", None, 9)]
    found = judged("counter", rows)
    assert ["3 instead of 2 to 2 (index 3)", "9 instead of 2 to 2 (index 5)"] == found.anomalies[
        "out-of-bounds"]
    assert {"out-of-bounds": "9 instead of 2 to 2 (index 5)"} == found.worst


@pytest.mark.parametrize("seed", range(20))
def test_a_correct_counter_is_never_invalid(seed):
    chance, total, rows, open_ = random.Random(seed), 0, [], {}
    for _ in range(300):
        process = chance.randrange(5)
        if process not in open_:
            open_[process] = (chance.choice(["add", "read"]), chance.randrange(-3, 9), total)
            rows.append((process, "invoke", open_[process][0], open_[process][1]))
            continue
        f, amount, before = open_.pop(process)
        total += amount if f == "add" else 0
        rows.append((process, "ok", f, chance.choice([before, total]) if f == "read" else amount))
    assert "invalid" != judged("counter", rows).outcome


@pytest.mark.parametrize(("values", "expected"), [
    ([1, 2, 3], ("valid", {})), ([1, 2, 1], ("invalid", {"duplicated": ["1"]})),
    (["a", 1, "a"], ("invalid", {"duplicated": ['"a"']})),
    ([["a", 1], ["a", 2], ["a", 1]], ("invalid", {"duplicated": ['["a" 1]']})), ([], None),
])
def test_identifiers(values, expected):
    rows = [row for value in values for row in done(0, "generate", None, value)]
    rows += done(9, "generate", 1, kind="fail")
    assert (expected or ("unknown", {})) == told(judged("unique_ids", rows))


def read(**balances):
    return done(1, "read", None, balances)


def move(amount, source="a", target="b", kind="ok", process=0):
    value = {"from": source, "to": target, "amount": amount}
    return done(process, "transfer", value, kind=kind)


START = read(a=10, b=0)


@pytest.mark.parametrize(("rows", "anomalies"), [
    ([*START, *move(3), *read(a=7, b=3)], {}),
    ([*START, *read(a=7, b=2)], {"wrong-total": ["9 instead of 10 (index 3)"]}),
    ([*START, *read(a=11, b=-1)], {"negative-value": ["-1 on account b (index 3)"]}),
    ([*START, *read(a=7, b=3, c=0)], {"unexpected-key": ['account c (index 3)']}),
    ([*START, *read(a=10, b=None)], {"nil-balance": ['account b (index 3)']}),
    ([*START, *move(3), *read(a=10, b=0)],
     {"unexplained": ['account a by +3', 'account b by -3']}),
    ([*START, *move(3, kind="fail"), *read(a=7, b=3)],
     {"unexplained": ['account a by -3', 'account b by +3']}),
    ([*START, *move(1), *move(3, kind="info", process=7), *read(a=6, b=4)], {}),
    ([*START, *move(1), *move(3, kind="info", process=7), *read(a=9, b=1)], {}),
    ([*START, *move(1), *move(3, kind="info", process=7), *read(a=8, b=2)],
     {"unexplained": ['account a by -1', 'account b by +1']}),
    ([*read(a=0.1, b=0.2), *read(a=0.3, b=0.0)], {}),
    ([*START, *read(a=2**70, b=10 - 2**70)],
     {"negative-value": [f'{10 - 2**70} on account b (index 3)']}),
])
def test_balances(rows, anomalies):
    found = judged("bank", rows)
    assert anomalies == told(found)[1]
    assert found.outcome == ("invalid" if anomalies else "valid")


def test_balances_may_be_said_beforehand():
    rows = read(a=7, b=-2)
    assert "invalid" == judged("bank", rows, total=9, overdraft=True).outcome
    assert "valid" == judged("bank", rows, total=5, overdraft=True).outcome
    assert ["account b (index 1)"] == judged("bank", rows, accounts=["a"]).anomalies[
        "unexpected-key"]


def test_balances_of_which_none_was_read_are_unknown():
    assert "unknown" == judged("bank", move(3)).outcome


def wrote(key):
    return done(0, "write", [["w", key, 1]])


def saw(**keys):
    return done(1, "read", [["r", k, None] for k in keys], [["r", k, v] for k, v in keys.items()])


@pytest.mark.parametrize(("rows", "outcome"), [
    ([*saw(x=1, y=None), *saw(x=None, y=1)], "invalid"),
    ([*saw(x=1, y=None), *saw(y=1, x=None)], "invalid"),
    ([*saw(x=1, y=None), *saw(x=1, y=1), *saw(x=None, y=None)], "valid"),
    ([*saw(x=1, y=None), *saw(x=None, z=1)], "valid"),
    ([*saw(x=None, y=None)], "unknown"), (wrote("x"), "unknown"),
])
def test_a_fork(rows, outcome):
    assert outcome == judged("long_fork", [*wrote("x"), *rows]).outcome


def test_both_reads_of_a_fork_are_named():
    found = judged("long_fork", [*saw(x=1, y=None), *saw(x=None, y=1)])
    assert ['index 1 read key "x" and not "y", index 3 read "y" and not "x"'] == (
        found.anomalies["long-fork"])


def test_more_pairs_than_the_budget_are_unknown():
    rows = [*saw(x=1, y=None), *saw(x=1, y=1), *saw(x=None, y=None)]
    assert "unknown" == judged("long_fork", rows, budget=1).outcome


@pytest.mark.parametrize(("name", "rows", "why"), [
    ("counter", done(0, "push", 1), "no operation of a counter"),
    ("counter", [*done(0, "add", "x"), *done(0, "read", None, 1)], "no whole number"),
    ("unique_ids", done(0, "generate", None), "does not tell the identifier"),
    ("bank", done(0, "read", None, [1]), "no mapping"),
    ("bank", [*START, *done(0, "transfer", 5), *START], "no transfer"),
    ("bank", read(a="much"), "no amount"),
    ("long_fork", [*saw(x=1), *saw(x=2)], "written more than once"),
])
def test_a_history_of_something_else_is_refused(name, rows, why):
    with pytest.raises(CheckError, match=why):
        judged(name, rows)
