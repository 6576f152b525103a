"""Isolation of registers (R6): what can be inferred of the order of values, and weak levels."""


import pytest

from holdfast.checkers.rw_register import CHECKER
from holdfast.errors import CheckError
from support.txn_histories import from_rows, in_turn, ops, steps, together


def judge(history, **options):
    return CHECKER.judge(history, CHECKER.options(**options))


def sessions(*texts):
    """Sessions without times; `;` separates the transactions of one."""
    rows = []
    for process, text in enumerate(texts):
        for txn in text.split(";"):
            rows += [{"type": kind, "process": process, "value": ops(txn)}
                     for kind in ("invoke", "ok")]
    return from_rows(rows, is_ordered=False)


@pytest.mark.parametrize(("anomaly", "history"), [
    pytest.param("G1a", together("failwx1", "rx1"), id="aborted-read"),
    pytest.param("G1b", together("wx1wx2", "rx1"), id="intermediate-read"),
    pytest.param("internal", together("wx1rx2", "wx2"), id="own-write-not-seen"),
    pytest.param("future-read", together("rx1wx1"), id="own-write-seen-before"),
    pytest.param("lost-update", together("rxwx1", "rxwx2"), id="lost-update"),
    pytest.param("G1c", together("wx1ry1", "wy1rx1"), id="circular-information"),
    pytest.param("G-single-item", together("wx1wy1", "rxry1"), id="read-skew"),
    pytest.param("G2-item", together("rxwy1", "rywx1"), id="write-skew"),
    pytest.param("G-single-item-realtime", in_turn("wx1", "rx", "rx1"), id="stale-read"),
    pytest.param("G1c-realtime", in_turn("rx1", "wx1"), id="read-before-it-was-written"),
])
def test_an_anomaly_is_named(anomaly, history):
    assert anomaly in judge(history).anomalies


@pytest.mark.parametrize("history", [
    pytest.param(together("failwx1", "wx1", "rx1"), id="written-again-after-a-failure"),
    pytest.param(together("wx1wx2", "rx2"), id="all-of-a-transaction"),
    pytest.param(together("rxwx1rx1", "rx1"), id="own-write-seen"),
    pytest.param(together("infowx1", "rx1"), id="unsure-and-seen"),
    pytest.param(in_turn("rx7", "rx7"), id="there-from-the-beginning"),
])
def test_nothing_is_named_where_nothing_is_wrong(history):
    checked = judge(history)
    assert ("valid", {}) == (checked.outcome, dict(checked.anomalies))


@pytest.mark.parametrize(("assumed", "history", "anomaly"), [
    ("wfr_keys", together("wy1", "ry1wx1wy2", "rx1ry1"), "G-single-item"),
    ("sequential_keys", in_turn("wx1", "wx2", "rx1"), "cyclic-versions"),
    ("linearizable_keys", in_turn("wx1", "wx2", "rx1", processes=(0, 1, 2)), "cyclic-versions"),
    ("sequential_keys", steps(
        "0 invoke wx1wy2", "1 invoke wx2wy1", "0 ok wx1wy2", "1 ok wx2wy1",
        "0 invoke rx", "0 ok rx2", "1 invoke ry", "1 ok ry2"), "G0"),
])
def test_what_is_assumed_of_keys_tells_more(assumed, history, anomaly):
    assert anomaly not in judge(history).anomalies
    assert anomaly in judge(history, **{assumed: True}).anomalies


@pytest.mark.parametrize(("history", "holds"), [
    pytest.param(sessions("wx0wy0", "wx1;rx1ry0", "wy1;ry1rx0"), 3, id="long-fork"),
    pytest.param(sessions("wx0", "rx0wx1", "rx0wx2"), 3, id="lost-update"),
    pytest.param(sessions("wx1;wx2", "rx2wy1", "rx1ry1"), 2, id="cause-not-seen"),
    pytest.param(sessions("wx0", "wx1", "rx0rx1"), 1, id="two-reads-differ"),
    pytest.param(sessions("wx0", "rx0wx1;rx0"), 1, id="own-session-forgotten"),
    pytest.param(sessions("wx0wy0", "wx1wy1", "rx0ry1"), 1, id="half-of-a-transaction"),
    pytest.param(sessions("wx0wy0", "rx0wx1wy1", "rx1ry0"), 0, id="older-after-newer"),
    pytest.param(sessions("rx1;wy0", "ry0;wx1"), 0, id="circle-of-reads-and-sessions"),
    pytest.param(sessions("wx0", "rx0", "rx5"), 0, id="nobody-wrote-it"),
    pytest.param(sessions("wx0", "wx1rx0"), 0, id="own-write-lost"),
])
def test_weak_levels_are_decided(history, holds):
    levels = ("read-committed", "read-atomic", "causal")
    expected = ["valid"] * holds + ["invalid"] * (3 - holds)
    assert expected == [judge(history, model=level).outcome for level in levels]


@pytest.mark.parametrize(("history", "isolated", "serial"), [
    pytest.param(sessions("wx0wy0", "rx0wy1", "ry0wx1"), "unknown", "invalid", id="write-skew"),
    pytest.param(sessions("wx0wy0", "wx1;rx1ry0", "wy1;ry1rx0"), "invalid", "invalid",
                 id="long-fork"),
    pytest.param(sessions("wx0", "rx0wx1", "rx0wx2"), "invalid", "invalid", id="lost-update"),
    pytest.param(sessions("wx0", "rx0wx1", "rx1wx2"), "valid", "valid", id="updates-in-turn"),
])
def test_strong_levels_of_sessions(history, isolated, serial):
    assert isolated == judge(history, model="snapshot-isolation").outcome
    assert serial == judge(history, model="serializable").outcome


def test_sessions_without_times_cannot_prove_what_needs_times():
    assert "unknown" == judge(sessions("wx0", "rx0wx1")).outcome


def test_a_value_written_by_two_and_read_leaves_the_writer_unknown():
    with pytest.raises(CheckError, match="written to x by more than one"):
        judge(together("wx1", "wx1", "rx1"))
    assert "valid" == judge(together("wx1", "wx1", "wx2", "rx2")).outcome


def test_lists_are_refused():
    with pytest.raises(CheckError, match="single values"):
        judge(together("wx1", "rx[1]"))


def test_an_inferred_order_names_the_read_that_tells():
    (witness,) = judge(
        sessions("wx0wy0", "rx0wx1wy1", "rx1ry0"), model="read-committed").details["witnesses"]
    assert "read-committed-cycle" == witness["anomaly"]
    assert "it follows from what the transaction at index 5" in str(witness["reasons"])
