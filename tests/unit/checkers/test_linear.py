"""R6: registers, locks and stores have one order that explains what each client was told."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.checkers._linear import Does, Op, linearize
from holdfast.errors import CheckError
from support.histories import done, history, judged


def outcome(name, rows, **options):
    return judged(name, rows, **options).outcome


@pytest.mark.parametrize(("rows", "told"), [
    pytest.param([*done(0, "write", 1), *done(1, "read", None, 1)], "valid", id="read-your-write"),
    pytest.param([*done(0, "write", 1), *done(1, "read", None, 2)], "invalid", id="from-nowhere"),
    pytest.param([*done(0, "write", 1), *done(0, "write", 2), *done(1, "read", None, 1)],
                 "invalid", id="stale"),
    pytest.param([*done(0, "write", 1), *done(1, "read", None, None)], "invalid", id="forgotten"),
    pytest.param([*done(0, "write", 1, kind="fail"), *done(1, "read", None, 1)], "invalid",
                 id="refused-yet-seen"),
    pytest.param([*done(0, "write", 1, kind="info"), *done(1, "read", None, 1)], "valid",
                 id="unknown-and-seen"),
    pytest.param([(0, "invoke", "write", 1), *done(1, "read", None, 1)], "valid",
                 id="never-completed"),
    pytest.param([*done(0, "write", 7), *done(2, "write", 1, kind="info"),
                  *done(1, "read", None, 1), *done(1, "read", None, 7)], "invalid",
                 id="unknown-and-undone"),
    pytest.param([*done(0, "write", 1), *done(0, "cas", [1, 2]), *done(1, "read", None, 2)],
                 "valid", id="cas"),
    pytest.param([*done(0, "write", 1), *done(0, "cas", [3, 2])], "invalid", id="cas-of-another"),
    pytest.param([(0, "invoke", "write", 1), (1, "invoke", "read", None), (0, "ok", "write", 1),
                  (1, "ok", "read", None)], "valid", id="side-by-side"),
    pytest.param([*done(0, "write", "a", kind="fail"), *done(1, "read", None, "b", "info")],
                 "unknown", id="nothing-succeeded"),
])
def test_a_register(rows, told):
    assert told == outcome("register", rows)


def test_what_fits_nowhere_is_named():
    found = judged("register", [*done(0, "write", 1), *done(1, "read", None, 2)])
    assert {"nonlinearizable": ["read 2 of process 1 (index 2)"]} == found.anomalies
    assert ("no order explains read 2 of process 1 (index 2); the longest that fits has 1 of 2 "
            "operations and leads to 1") == found.text


def test_a_register_may_hold_something_at_first():
    assert "valid" == outcome("cas_register", done(0, "read", None, 5), initial=5)
    assert "valid" == outcome("register", done(0, "read", None, "x"), initial="x")
    assert "invalid" == outcome("register", done(0, "read", None, 5))


def test_keys_are_judged_by_themselves():
    rows = [*done(0, "write", [1, 5]), *done(0, "write", [2, 6]),
            *done(1, "read", [1, None], [1, 5])]
    assert "valid" == outcome("register", rows)
    found = judged("register", [*rows, *done(1, "read", [2, None], [2, 5])])
    assert ("invalid", ["key 2: read 5 of process 1 (index 6)"]) == (
        found.outcome, found.anomalies["nonlinearizable"])


def test_pairs_that_are_values_are_no_keys():
    rows = [*done(0, "write", [1, 5]), *done(1, "read", None, [1, 5])]
    with pytest.raises(CheckError, match="no single value"):
        judged("register", rows)


@pytest.mark.parametrize(("rows", "told"), [
    ([*done(0, "acquire", None), *done(0, "release", None), *done(1, "acquire", None)], "valid"),
    ([*done(0, "acquire", None), *done(1, "acquire", None)], "invalid"),
    ([*done(0, "release", None)], "invalid"),
    ([*done(0, "acquire", None), *done(2, "release", None, kind="info"),
      *done(1, "acquire", None)], "valid"),
])
def test_a_mutex(rows, told):
    assert told == outcome("mutex", rows)


@pytest.mark.parametrize(("rows", "told"), [
    ([*done(0, "put", "a"), *done(0, "append", "b"), *done(1, "get", None, "ab")], "valid"),
    ([*done(1, "get", None, "")], "valid"),
    ([*done(0, "append", "a"), *done(0, "append", "b"), *done(1, "get", None, "ba")], "invalid"),
    ([(0, "invoke", "append", "a"), *done(1, "append", "b"), *done(1, "get", None, "ba")], "valid"),
])
def test_a_store_of_texts(rows, told):
    assert told == outcome("kv", rows)


@pytest.mark.parametrize(("name", "rows", "told"), [
    ("register", done(0, "push", 1), "'push' is no operation of a register: it knows read"),
    ("register", done(0, "cas", 1), "does not tell"), ("kv", done(0, "put", 5), "is no text"),
    ("kv", done(0, "put", ["a"]), 'the value \\["a"\\] of index 0 is no text'),
    ("kv", done(0, "get", None, ["a"]), 'the value \\["a"\\] of index 1 is no text'),
])
def test_a_history_of_something_else_is_refused(name, rows, told):
    with pytest.raises(CheckError, match=told):
        judged(name, rows)


def test_a_budget_used_up_is_unknown():
    rows = [(n, "invoke", "write", n) for n in range(40)] + [*done(99, "read", None, 77)]
    rows += [(n, "ok", "write", n) for n in range(40)]
    found = judged("register", rows, budget=2000)
    assert "unknown" == found.outcome
    assert "no order was found in 2001 steps, and none was ruled out" in found.text


def test_many_unknown_writes_alike_do_not_double_the_work():
    """Forty crashed writes of two values: tried one by one this is 2^40 orders."""
    rows = [row for n in range(40) for row in done(n, "write", n % 2, kind="info")]
    rows += [row for n in range(63) for row in done(99, "read", None, (0, 1, 1)[n % 3])]
    found = judged("register", rows)
    assert ("invalid", True) == (found.outcome, found.counts["steps"] < 2000)


def by_all_orders(ops, initial):
    """The definition, tried out: any order that keeps who came before whom."""
    def fits(left, state):
        if all(op.ended is None for op in left):
            return True
        first = min((op.ended for op in left if op.ended is not None), default=10**9)
        return any(
            fits([o for o in left if o is not op], after)
            for op in left if op.begun < first for after in _after(op, state))
    return fits(list(ops), initial)


def _after(op, state):
    if op.does is Does.READ:
        return [state] if state == op.a else []
    if op.does is Does.WRITE:
        return [op.a]
    return [op.b] if state == op.a else []


@st.composite
def operations(draw):
    places = draw(st.permutations(range(14)))
    ops = []
    for n in range(draw(st.integers(1, 7))):
        begun, ended = sorted(places[2 * n:2 * n + 2])
        does = draw(st.sampled_from([Does.READ, Does.READ, Does.WRITE, Does.CAS]))
        a, b = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        is_lost = draw(st.integers(0, 3)) == 0 and does is not Does.READ
        ops.append(Op(does, a, b, begun, None if is_lost else ended))
    return ops


@given(operations())
@settings(max_examples=200, deadline=None)
def test_it_finds_an_order_exactly_when_there_is_one(ops):
    assert by_all_orders(ops, 0) == linearize(ops, 0, 10**6).is_linear


def simulated(seed, keys=1, values=5):
    """A correct register under load: each operation takes effect once, between its two rows."""
    chance, state, rows, open_, crashed = random.Random(seed), {}, [], {}, 1000
    for _ in range(chance.randrange(10, 200)):
        process = chance.randrange(6)
        if process in open_:
            f, key, value = open_.pop(process)
            if chance.random() < 0.1:
                happens = chance.random() < 0.5
                kind, crashed = "info", crashed + 1
            else:
                happens, kind = True, "ok"
            told = _effect(state, f, key, value) if happens else value
            if told is _FAILED:
                told, kind = value, "fail" if kind == "ok" else kind
            rows.append((process, kind, f, [key, told]))
        else:
            f, key = chance.choice(["read", "write", "cas"]), chance.randrange(keys)
            value = {"read": None, "write": chance.randrange(values),
                     "cas": [chance.randrange(values), chance.randrange(values)]}[f]
            open_[process] = f, key, value
            rows.append((process, "invoke", f, [key, value]))
    return rows


_FAILED = object()


def _effect(state, f, key, value):
    if f == "read":
        return state.get(key)
    if f == "cas":
        if state.get(key) != value[0]:
            return _FAILED
        state[key] = value[1]
    else:
        state[key] = value
    return value


@pytest.mark.parametrize("seed", range(60))
def test_a_correct_register_is_never_invalid(seed):
    assert "invalid" != outcome("register", simulated(seed, keys=1 + seed % 3))


@pytest.mark.parametrize("seed", range(20))
def test_names_of_keys_change_nothing(seed):
    rows = simulated(seed, keys=3)
    named = [(p, kind, f, [f"k{value[0]}", value[1]]) for p, kind, f, value in rows]
    assert outcome("register", rows) == outcome("register", named)


@pytest.mark.parametrize("seed", range(20))
def test_a_read_of_a_value_nobody_wrote_is_found(seed):
    rows = simulated(seed)
    reads = [n for n, row in enumerate(rows) if row[1:3] == ("ok", "read")]
    if reads:
        process, kind, f, value = rows[reads[-1]]
        rows[reads[-1]] = (process, kind, f, [value[0], 77])
        assert "invalid" == outcome("register", rows)


def test_rows_of_one_time_may_stand_in_any_order():
    rows = [(0, "invoke", "write", 1), (1, "invoke", "read", None), (1, "ok", "read", 1),
            (0, "ok", "write", 1)]
    other = [rows[1], rows[0], rows[3], rows[2]]
    assert ["valid", "valid"] == [outcome("register", some) for some in (rows, other)]
    assert 2 == len(history(*rows).invocations)
