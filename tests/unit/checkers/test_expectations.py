"""R6: what tables must keep, in an author's words, and what is said of them."""

import pytest
from pydantic import ValidationError

from holdfast.checkers.expectations import CHECKER, ExpectationsParams
from holdfast.errors import CheckError
from holdfast.ports.checkers import Answers, Expected, Expecting, Met, Moment, Observed

ROWS = {"expect": "rows", "table": "orders", "at_least": "before"}
SUM = {"expect": "sum", "table": "accounts", "column": "balance", "equal": "before"}
UNIQUE = {"expect": "unique", "table": "orders", "column": "key"}
PRESENT = {"expect": "present", "table": "orders", "column": "item"}
RANGE = {"expect": "range", "table": "stock", "column": "units", "at_least": 0, "at_most": 9.5}
REFERENCE = {"expect": "reference", "table": "orders", "column": "item", "to": ["stock", "item"]}
BEFORE = Answers("before", 1, 2, {
    "rows orders": [["120"]], "sum accounts.balance": [["100.10"]]})


def params(*tables):
    return ExpectationsParams.model_validate({"tables": tables})


def check(shape, met):
    found = [Met(e, **m) for e, m in zip(CHECKER.expects(BEFORE, shape), met, strict=True)]
    return CHECKER.check(Observed(Answers("after", 3, 4, {}), met=found), shape)


def test_it_has_great_expectations_look():
    assert isinstance(CHECKER, Expecting)


def test_figures_from_before_become_bounds():
    rows, total = CHECKER.expects(BEFORE, params(ROWS, SUM))
    assert Expected("rows", "orders", low="120") == rows
    assert ("100.10", "100.10", "the sum of balance is 100.10") == (
        total.low, total.high, total.text)
    assert total.query.endswith("HAVING coalesce(sum(\"balance\"), 0) < 100.10 "
                                "OR coalesce(sum(\"balance\"), 0) > 100.10")


def test_a_reference_is_a_query_for_what_leads_nowhere():
    (found,) = CHECKER.expects(None, params(REFERENCE))
    assert "each item leads to a row of stock, by its item" == found.text
    assert '(SELECT FROM "stock" AS there WHERE there."item" = here."item")' in found.query


def test_only_what_is_needed_from_before_is_asked_before():
    shape = params(ROWS, SUM, UNIQUE, {**SUM, "equal": 3, "table": "t"})
    assert ["rows orders", "sum accounts.balance"] == list(CHECKER.asks(Moment.BEFORE, shape))
    assert {} == CHECKER.asks(Moment.DURING, shape)


def test_afterwards_the_rows_that_are_wrong_are_asked_for():
    asked = CHECKER.asks(Moment.AFTER, params(ROWS, UNIQUE, PRESENT, RANGE, REFERENCE))
    assert 'SELECT (count(*))::text FROM "orders"' == asked["rows orders"]
    assert 'GROUP BY "key" HAVING count(*) > 1 LIMIT 20' in asked["unique orders.key"]
    assert '"item" IS NULL LIMIT 20' in asked["present orders.item"]
    assert '"units" < 0 OR "units" > 9.5 LIMIT 20' in asked["range stock.units"]
    assert 'NOT EXISTS' in asked["reference orders.item"]


def test_all_met_is_valid():
    found = check(params(ROWS, UNIQUE), [{"is_met": True}] * 2)
    assert ("valid", "all 2 expectations are met") == (found.outcome, found.text)


@pytest.mark.parametrize(("one", "rows", "told", "anomalies"), [
    (ROWS, [["118"]], "orders has 118 rows, at least 120 expected", {"rows": ["orders: 118"]}),
    (SUM, [["99"]], "accounts.balance adds up to 99, 100.10 expected",
     {"sum": ["accounts.balance: 99"]}),
    (UNIQUE, [["k1"], ["k2"]], "orders.key is not unique: k1, k2",
     {"unique": ["orders.key: k1", "orders.key: k2"]}),
    (PRESENT, [[None]], "orders.item is empty in 4 rows", {"present": ["orders.item: None"]}),
    (RANGE, [["-1"]], "stock.units must be at least 0 and at most 9.5: -1",
     {"range": ["stock.units: -1"]}),
    (REFERENCE, [["99"]] * 20,
     "orders.item leads to no stock.item: 99, 99, 99 and 17 more, at least",
     {"reference": ["orders.item: 99"] * 20}),
])
def test_what_is_wrong_is_named(one, rows, told, anomalies):
    shape = params(one)
    after = Answers("after", 3, 4, {shape.tables[0].name: rows})
    met = [Met(CHECKER.expects(BEFORE, shape)[0], is_met=False, wrong=4)]
    found = CHECKER.check(Observed(after, met=met), shape)
    assert ("invalid", told, anomalies) == (found.outcome, found.text, found.anomalies)


def test_what_could_not_be_looked_at_is_unknown():
    found = check(params(UNIQUE), [{"is_met": False, "error": "no such column"}])
    assert ("unknown", "unique orders.key: no such column") == (found.outcome, found.text)


def test_one_that_is_not_met_outweighs_one_nobody_could_look_at():
    shape = params(UNIQUE, ROWS)
    after = Answers("after", 3, 4, {"rows orders": [["1"]]})
    unique, rows = CHECKER.expects(BEFORE, shape)
    met = [Met(unique, is_met=False, error="gone"), Met(rows, is_met=False)]
    found = CHECKER.check(Observed(after, met=met), shape)
    assert ("invalid", 1, 1) == (found.outcome, found.counts["failed"], found.counts["errors"])


def test_a_bound_from_before_that_nobody_read_is_refused():
    for before in (None, Answers("before", 1, 2, {})):
        with pytest.raises(CheckError, match="rows orders before the first fault is not known"):
            CHECKER.expects(before, params(ROWS))


@pytest.mark.parametrize(("wrong", "told"), [
    ({"expect": "rows", "table": "t", "column": "c", "at_least": 1}, "leave column out"),
    ({"expect": "unique", "table": "t"}, "name the column"),
    ({"expect": "reference", "table": "t", "column": "c"}, "'to' goes with 'reference'"),
    ({"expect": "rows", "table": "t"}, "need at_least, at_most or equal"),
    ({**UNIQUE, "at_least": 1}, "the others have no limit"),
    ({**ROWS, "equal": 1}, "equal stands alone"),
    ({**RANGE, "at_least": "before"}, "a range has limits of its own"),
    ({**ROWS, "at_least": "after"}, "a number, or the word before"),
    ({**ROWS, "at_least": True}, "a number, or the word before"),
])
def test_an_expectation_that_cannot_be_is_refused(wrong, told):
    with pytest.raises(ValidationError, match=told):
        params(wrong)


def test_an_expectation_is_read_back_as_it_was_written():
    shape = params(ROWS, RANGE)
    assert shape == ExpectationsParams.model_validate(shape.model_dump())
