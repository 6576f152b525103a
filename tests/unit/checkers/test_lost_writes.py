"""R6: no acknowledged write is lost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.checkers.lost_writes import CHECKER, ENOUGH
from holdfast.model.operation import Operation
from holdfast.ports.checkers import Answers, Moment, Observed
from holdfast.registry import Registry


def writes(outcome, *keys):
    return [Operation(n, n, "order", k, n, n, n + 0.1, outcome) for n, k in enumerate(keys)]


def check(history, final, allowed=0):
    looked = Answers("after all rounds", 1e9, 1e9, {})
    return CHECKER.check(Observed(looked, history, final, allowed), CHECKER.params())


MANY = [f"k{n}" for n in range(ENOUGH)]


def test_it_is_found_by_its_file_name():
    assert CHECKER is Registry("checkers", "CHECKER")["lost_writes"]


def test_writes_that_are_all_there_are_valid():
    checked = check(writes("ok", *MANY), [*MANY, "from an earlier run"], 0)
    told = checked.outcome, checked.text
    assert ("valid", f"all {ENOUGH} acknowledged writes are there") == told


def test_a_lost_write_is_named():
    checked = check(writes("ok", *MANY), MANY[1:], 0)
    assert ("invalid", {"lost": ["k0"], "unexpected": [], "duplicated": []}) == (
        checked.outcome, checked.anomalies)
    assert "1 of 10 acknowledged writes are lost: k0" in checked.text


def test_the_first_three_are_named_and_all_are_kept():
    keys = [f"k{n:03}" for n in range(50)]
    checked = check(writes("ok", *keys), [], 0)
    assert checked.text.endswith(": k000, k001, k002 and 47 more")
    assert keys == checked.anomalies["lost"]


def test_as_many_as_the_recovery_point_allows_may_be_lost():
    outcomes = [check(writes("ok", *MANY), MANY[2:], n).outcome for n in (1, 2)]
    assert ["invalid", "valid"] == outcomes


def test_an_unsure_write_may_be_there_or_not():
    history = writes("ok", *MANY) + writes("info", "maybe", "gone")
    checked = check(history, [*MANY, "maybe"], 0)
    counts = checked.counts
    assert ("valid", 1, 2) == (checked.outcome, counts["recovered"], counts["unsure"])


@pytest.mark.parametrize(("outcome", "key", "anomaly"), [
    pytest.param("fail", "no", "unexpected", id="refused-and-yet-there"),
    pytest.param("ok", "k0", "duplicated", id="there-twice"),
])
def test_what_must_not_be_there_is_invalid(outcome, key, anomaly):
    checked = check(writes("ok", *MANY) + writes(outcome, key), [*MANY, key], 0)
    assert ("invalid", [key]) == (checked.outcome, checked.anomalies[anomaly][:1])


def test_a_key_refused_once_and_then_acknowledged_is_expected():
    history = writes("fail", "k0") + writes("ok", *MANY)
    assert "valid" == check(history, MANY, 0).outcome


def test_too_few_writes_prove_nothing():
    """An empty history is unknown, never valid."""
    assert ["unknown", "unknown"] == [
        check(writes("ok", *MANY[:n]), MANY, 0).outcome for n in (0, ENOUGH - 1)]


def test_one_lost_write_is_enough_to_be_invalid():
    assert "invalid" == check(writes("ok", "k0"), [], 0).outcome


@given(st.sets(st.uuids().map(str), min_size=ENOUGH), st.data())
def test_exactly_the_missing_ones_are_lost(keys, data):
    there = data.draw(st.sets(st.sampled_from(sorted(keys))))
    checked = check(writes("ok", *sorted(keys)), sorted(there), 0)
    assert sorted(keys - there) == checked.anomalies["lost"]


def test_the_key_of_a_mapping_is_what_was_written():
    """A history whose values say more than the key, such as one of transfers."""
    history = [replace(o, value={"key": o.value, "amount": 3}) for o in writes("ok", *MANY)]
    assert "valid" == check(history, MANY).outcome
    assert ["k0"] == check(history, MANY[1:]).anomalies["lost"]


def test_it_asks_nothing_but_the_historys_own_query():
    assert [{}] * 3 == [CHECKER.asks(moment, CHECKER.params()) for moment in Moment]
