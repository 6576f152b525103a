"""R6: exactly which rows are missing, extra or changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.checkers.tables import CHECKER, TablesParams
from holdfast.errors import CheckError
from holdfast.ports.checkers import Answers, Moment, Observed

GOODS = [["1", "coffee", "1290"], ["2", "tea", "890"], ["3", "honey", None]]


def check(before, after, **params):
    given = {"table": "stock", "key": ["item"], "columns": ["name", "price"]} | params
    shape = TablesParams(**given)
    then = None if before is None else Answers("before", 1, 2, {"rows": before})
    return CHECKER.check(Observed(Answers("after", 3, 4, {"rows": after}), before=then), shape)


def test_rows_as_they_were_are_valid():
    found = check(GOODS, GOODS)
    assert ("valid", "3 rows of stock are as they were (name, price)") == (
        found.outcome, found.text)


def test_missing_extra_and_changed_rows_are_named():
    found = check(GOODS, [["1", "coffee", "1"], ["3", "honey", "9"], ["4", "oil", "5"]])
    assert {"missing": ["2"], "extra": ["4"], "duplicated": [],
            "changed": ["1 (price 1290 to 1)", "3 (price nothing to 9)"]} == found.anomalies
    assert ("rows of stock are not as they were: 1 missing: 2; 1 extra: 4; "
            "2 changed: 1 (price 1290 to 1), 3 (price nothing to 9)") == found.text


@pytest.mark.parametrize(("allow", "after", "outcome"), [
    (["extra"], [*GOODS, ["4", "oil", "5"]], "valid"),
    (["missing"], [*GOODS, ["4", "oil", "5"]], "invalid"),
    (["missing"], GOODS[:2], "valid"),
    (["extra", "missing"], [["1", "coffee", "9"], *GOODS[1:]], "invalid"),
])
def test_rows_may_come_or_go_where_that_is_allowed(allow, after, outcome):
    assert outcome == check(GOODS, after, allow=allow).outcome


def test_what_was_allowed_is_said():
    assert check(GOODS, GOODS[:2], allow=["missing"]).text.endswith("; 1 missing as allowed")


def test_a_key_that_is_there_twice_afterwards_is_named_once():
    found = check(GOODS, [GOODS[0], GOODS[0], *GOODS])
    assert ("invalid", ["1"]) == (found.outcome, found.anomalies["duplicated"])


@pytest.mark.parametrize(("before", "after", "told"), [
    (None, GOODS, "before the first fault are not known"),
    ([GOODS[0], *GOODS], GOODS, "item is no key of stock: 1 was there twice"),
    ([*GOODS, ["4", "a", "b"]], GOODS, "stock has more than 3 rows"),
    (GOODS, [*GOODS, ["4", "a", "b"]], "stock has more than 3 rows"),
])
def test_what_cannot_be_compared_is_refused(before, after, told):
    with pytest.raises(CheckError, match=told):
        check(before, after, most_rows=3)


def test_an_empty_table_proves_nothing():
    assert "unknown" == check([], []).outcome


def test_values_are_digests_unless_they_may_be_shown():
    shapes = [TablesParams(table="s.t", key=["a"], columns=["b"], show=show, most_rows=5)
              for show in (False, True)]
    digest = """left(encode(sha256(convert_to("b"::text, 'UTF8')), 'hex'), 32)"""
    rest = 'FROM "s"."t" ORDER BY "a"::text COLLATE "C" LIMIT 6'
    shown = f"""CASE WHEN length("b"::text) > 40 THEN 'sha256 ' || {digest} ELSE "b"::text END"""
    assert [f'SELECT "a"::text AS k, {cell} {rest}' for cell in (digest, shown)] == [
        CHECKER.asks(Moment.BEFORE, shape)["rows"] for shape in shapes]


def test_between_faults_it_asks_nothing():
    shape = TablesParams(table="t", key=["a", "b"], columns=["c"])
    assert {} == CHECKER.asks(Moment.DURING, shape)
    assert 'jsonb_build_array("a"::text, "b"::text)::text' in CHECKER.asks(
        Moment.AFTER, shape)["rows"]


@pytest.mark.parametrize("name", ['t"; DROP TABLE t; --', "a b", "", "a.b.c", "1a", "t\n"])
def test_a_name_that_is_no_name_never_reaches_the_database(name):
    with pytest.raises(ValidationError):
        TablesParams(table=name, key=["a"], columns=["b"])


@given(st.dictionaries(st.text(min_size=1), st.integers()),
       st.dictionaries(st.text(min_size=1), st.integers()))
def test_it_agrees_with_comparing_two_mappings(before, after):
    ordered = [[[k, v] for k, v in sorted(rows.items(), key=lambda r: r[0].encode(
        "utf-8", "surrogatepass"))] for rows in (before, after)]
    found = check(*ordered, columns=["v"]).anomalies
    assert (sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys()),
            sum(before[k] != after[k] for k in before.keys() & after.keys())) == (
        sorted(found["missing"]), sorted(found["extra"]), len(found["changed"]))
