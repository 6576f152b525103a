"""Isolation of lists (R6, X2): each anomaly by a small case of its own, and its absence."""

import pytest

from holdfast.checkers.list_append import CHECKER
from holdfast.errors import CheckError, SpecError
from holdfast.model.witness import Witness
from support.txn_histories import from_rows, in_turn, ops, steps, together


def judge(history, **options):
    return CHECKER.judge(history, CHECKER.options(**options))


def named(history, **options):
    return set(judge(history, **options).anomalies)


@pytest.mark.parametrize(("anomaly", "history"), [
    pytest.param("G1a", together("failax1", "rx[1]"), id="aborted-read"),
    pytest.param("G1b", together("ax1ax2", "rx[1]"), id="intermediate-read"),
    pytest.param("internal", together("ax1rx[]"), id="own-append-not-seen"),
    pytest.param("internal", together("rx[1]rx[12]", "ax1", "ax2"), id="read-differs-from-read"),
    pytest.param("internal", together("rx[1]ax2rx[13]", "ax1", "ax3"), id="other-instead-of-own"),
    pytest.param("internal", together("rx[12]ax3rx[213]", "ax1", "ax2"), id="other-order"),
    pytest.param("future-read", together("rx[1]ax1"), id="own-append-seen-before"),
    pytest.param("duplicate-elements", together("ax1", "rx[11]"), id="element-twice"),
    pytest.param("incompatible-order", together("ax1", "ax2", "rx[12]", "rx[21]"), id="two-orders"),
    pytest.param("garbage-read", together("ax1", "rx[71]"), id="never-appended"),
    pytest.param("dirty-update", together("failax1", "ax2", "rx[12]"), id="built-on-aborted"),
    pytest.param("lost-update", together("rxax1", "rxax2"), id="lost-update"),
    pytest.param("G0", together("ax1ay2", "ax2ay1", "rx[12]ry[12]"), id="write-cycle"),
    pytest.param("incompatible-order", in_turn("ax1ax2", "ax3", "rx[213]"), id="own-order"),
    pytest.param("G1c", together("ax1ry[1]", "ay1rx[1]"), id="circular-information"),
    pytest.param("G-single-item",
                 together("ax1", "ax2az1", "inforx[1]rz[1]ay1", "rx[12]ry[1]"),
                 id="unsure-and-yet-happened"),
    pytest.param("G-single-item", together("ax1ay1", "rxry[1]"), id="read-skew"),
    pytest.param("G-nonadjacent-item", together("ax1", "ay1", "rx[1]ry", "rxry[1]"),
                 id="long-fork"),
    pytest.param("G2-item", together("rxay1", "ryax1"), id="write-skew"),
    pytest.param("G-single-item-realtime", in_turn("ax1", "rx", "rx[1]"), id="stale-read"),
    pytest.param("G1c-realtime", steps("0 invoke rx", "0 ok rx[1]", "1 invoke ax1", "1 ok ax1"),
                 id="read-before-it-was-written"),
    pytest.param("G0-realtime", in_turn("ax1", "ax2", "rx[21]"), id="appended-in-the-wrong-order"),
])
def test_an_anomaly_is_named(anomaly, history):
    assert anomaly in named(history)


@pytest.mark.parametrize("history", [
    pytest.param(together("failax1", "ax2", "rx[2]"), id="aborted-and-never-seen"),
    pytest.param(together("ax1ax2", "rx[12]"), id="all-of-a-transaction"),
    pytest.param(together("rxax1rx[1]", "rx[1]"), id="own-append-seen"),
    pytest.param(together("ax2rx[12]", "ax1"), id="own-append-behind-another"),
    pytest.param(together("infoax1", "rx[1]"), id="unsure-and-seen"),
    pytest.param(together("infoax1", "rx"), id="unsure-and-not-seen"),
    pytest.param(together("ax3", "rx[3]ax1", "inforx[3]ax2"), id="unsure-and-undone"),
    pytest.param(together("ax2rx[2]", "rx[2]ax1rx[21]", "infoax3rx[3]"), id="unsure-own-append"),
    pytest.param(together("ax1", "ax2az1", "inforx[1]rz[1]", "rx[12]"), id="unsure-and-read-only"),
    pytest.param(together("rxax1", "rx[1]ax2", "rx[12]"), id="updates-in-turn"),
    pytest.param(in_turn("ax1", "rx[1]", "ax2", "rx[12]"), id="in-turn"),
    pytest.param(together("ax1", "rx", "rx[1]"), id="concurrent-reads-may-differ"),
])
def test_nothing_is_named_where_nothing_is_wrong(history):
    checked = judge(history)
    assert ("valid", {}) == (checked.outcome, dict(checked.anomalies))


@pytest.mark.parametrize(("processes", "outcome"), [((0, 0), "invalid"), ((0, 1), "valid")])
def test_an_unknown_transaction_that_happened_came_after_those_of_its_session(processes, outcome):
    history = in_turn("rx[2]", "infoax2", processes=processes)
    checked = judge(history, model="strong-session-serializable")
    assert outcome == checked.outcome
    assert "valid" == judge(history, model="serializable").outcome


def test_nothing_comes_after_an_unknown_transaction():
    history = in_turn("infoax1", "rx[]", "rx[]", "rx[1]", processes=(0, 0, 0, 1))
    assert "valid" == judge(history, model="strong-session-serializable").outcome


@pytest.mark.parametrize(("model", "outcome"), [
    ("snapshot-isolation", "valid"), ("repeatable-read", "invalid"), ("serializable", "invalid"),
    ("read-committed", "valid"), ("strict-serializable", "invalid"),
])
def test_write_skew_breaks_only_the_levels_that_forbid_it(model, outcome):
    assert outcome == judge(together("rxay1", "ryax1"), model=model).outcome


def test_an_anomaly_that_the_level_allows_is_told_all_the_same():
    checked = judge(together("rxay1", "ryax1"), model="snapshot-isolation")
    assert ("valid", {"G2-item"}) == (checked.outcome, set(checked.anomalies))


def test_what_a_worse_cycle_implies_is_not_told():
    assert {"G0"} == named(in_turn("ax1ay2", "ax2ay1", "rx[12]ry[12]"))


def test_levels_ruled_out_are_the_weakest_and_all_above_them():
    details = judge(together("ax1ay1", "rxry[1]")).details
    assert ["consistent-view", "repeatable-read"] == details["not"]
    assert {"snapshot-isolation", "serializable"} <= set(details["also_not"])


def test_an_order_of_sessions_has_names_of_its_own():
    history = together("ax1", "rx", "rx[1]")
    assert "valid" == judge(history, model="strong-session-serializable").outcome
    stale = steps("0 invoke ax1", "0 ok ax1", "0 invoke rx", "1 invoke rx", "0 ok rx", "1 ok rx[1]")
    assert {"G-single-item-process"} == named(stale, model="strong-session-serializable")


@pytest.mark.parametrize(("history", "why"), [
    pytest.param(together("failax1"), "acknowledged", id="all-failed"),
    pytest.param(in_turn("ax1", "ax2"), "nothing was read", id="no-reads"),
    pytest.param(together("rx"), "no transaction depends", id="one-read"),
])
def test_too_little_is_unknown(history, why):
    checked = judge(history)
    assert "unknown" == checked.outcome
    assert why in checked.text


def test_a_spent_budget_is_unknown_unless_what_was_found_is_enough():
    rows = together("ax1", "ay1", "rx[1]ry", "rxry[1]")
    assert "invalid" == judge(rows).outcome
    checked = judge(rows, budget=1, model="strict-serializable")
    assert ("invalid", True) == (checked.outcome, bool(checked.details["limits"]))
    assert "unknown" == judge(rows, budget=1, model="read-committed").outcome


def test_an_element_appended_twice_leaves_orders_unknown():
    with pytest.raises(CheckError, match="appended to x more than once"):
        judge(together("ax1", "ax1"))


def test_no_transactions_and_other_operations_are_refused():
    with pytest.raises(CheckError, match="no transactions"):
        judge(from_rows([]))
    with pytest.raises(CheckError, match="append and read"):
        judge(together("wx1"))
    with pytest.raises(CheckError, match="whole lists"):
        judge(together("ax1", "rx1"))


def test_an_unknown_level_is_named_with_those_that_are_known():
    with pytest.raises(SpecError, match="unknown model 'serialisable'"):
        CHECKER.options(model="serialisable")


def test_a_witness_tells_who_came_before_whom_and_why():
    (witness,) = judge(together("ax1ay1", "rxry[1]")).details["witnesses"]
    assert """\
G-single-item:
  T1 (index 3, process 1, ok): read x nothing, read y [1]
  T2 (index 2, process 0, ok): append x 1, append y 1

  T1 < T2 because T1 read x as nothing, before T2 appended 1 to it
  T2 < T1 because T1 read 1 of y, appended by T2
  which closes a circle: there is no such order""" == Witness.model_validate(witness).text


def test_the_shortest_cycle_is_the_witness():
    long = ["ax1rc[1]", "ay1rx[1]", "az1ry[1]", "ac1rz[1]"]
    short = ["aa1rb[1]", "ab1ra[1]"]
    (witness,) = judge(together(*long, *short)).details["witnesses"]
    assert 2 == len(witness["acts"])


def test_many_reads_before_many_unread_appends_are_no_false_circle():
    texts = ["rx"] * 100 + [f"ax{n}" for n in range(1, 100)] + ["rxax100"]
    assert "valid" == judge(together(*texts)).outcome


def test_many_updates_of_one_version_are_each_a_lost_update():
    checked = judge(together(*(f"rxax{n}" for n in range(1, 101))))
    assert {"lost-update", "G2-item"} == set(checked.anomalies)
    assert 99 == checked.counts["lost-update"]


def test_rows_of_the_same_time_have_no_order():
    rows = [
        {"type": "invoke", "process": 0, "value": ops("ax1"), "time": 1},
        {"type": "ok", "process": 0, "value": ops("ax1"), "time": 5},
        {"type": "invoke", "process": 1, "value": ops("rx"), "time": 5},
        {"type": "ok", "process": 1, "value": ops("rx"), "time": 6},
        {"type": "invoke", "process": 1, "value": ops("rx"), "time": 7},
        {"type": "ok", "process": 1, "value": ops("rx[1]"), "time": 8},
    ]
    assert "valid" == judge(from_rows(rows)).outcome
    rows[2]["time"] = 6
    assert {"G-single-item-realtime"} == named(from_rows(rows))


def test_sessions_without_times_cannot_prove_what_needs_times():
    history = from_rows([
        {"type": "invoke", "process": 0, "value": ops("ax1")},
        {"type": "ok", "process": 0, "value": ops("ax1")},
        {"type": "invoke", "process": 1, "value": ops("rx")},
        {"type": "ok", "process": 1, "value": ops("rx[1]")},
    ], is_ordered=False)
    assert "unknown" == judge(history).outcome
    assert "valid" == judge(history, model="serializable").outcome
