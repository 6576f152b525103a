"""R6: money is neither made nor lost, and acknowledged transfers are booked."""

import pytest

from holdfast.checkers.bank import CHECKER, ENOUGH, BankParams
from holdfast.errors import CheckError
from holdfast.model.operation import Operation
from holdfast.ports.checkers import Answers, Moment, Observed
from holdfast.registry import Registry

START = {"1": 100, "2": 100, "3": 100, "4": 100}


def move(n, source="1", target="2", amount=1, *, outcome="ok", at=10.0):
    value = {"key": f"t{n}", "source": source, "target": target, "amount": amount}
    return Operation(n, n, "transfer", value, at, at, at + 0.1, outcome)


def look(balances, at=5.0, label="before the first fault"):
    return Answers(label, at, at + 0.01, {"balances": [[a, str(b)] for a, b in balances.items()]})


def total(amount, label="after first"):
    return Answers(label, 15.0, 15.01, {"sum": [[str(amount)]]})


MANY = [move(n) for n in range(ENOUGH)]
KEYS = [o.key for o in MANY]
END = START | {"1": 90, "2": 110}


def check(history, final, after, allowed=0, **more):
    params = BankParams(**more.pop("params", {}))
    seen = {"before": look(START)} | more
    return CHECKER.check(
        Observed(look(after, 20.0, "end"), history, final, allowed, **seen), params)


def test_it_is_found_by_its_file_name():
    assert CHECKER is Registry("checkers", "CHECKER")["bank"]


def test_acknowledged_transfers_that_are_booked_and_moved_are_valid():
    found = check(MANY, KEYS, END, during=[total(400)])
    assert ("valid", "10 acknowledged transfers are booked, and 4 balances add up at 3 looks") == (
        found.outcome, found.text)


def test_money_that_appears_is_found_and_its_account_named():
    found = check(MANY, KEYS, END | {"3": 105})
    assert "invalid" == found.outcome
    assert (["after all rounds: 405 instead of 400"], ["account 3 by +5"]) == (
        found.anomalies["wrong-total"], found.anomalies["unexplained"])


def test_money_that_was_missing_for_a_while_is_found():
    found = check(MANY, KEYS, END, during=[total(400), total(399, "after failover")])
    assert ["after failover: 399 instead of 400"] == found.anomalies["wrong-total"]
    assert "the balances do not add up: after failover: 399 instead of 400" == found.text


def test_money_that_only_changed_hands_is_found():
    """The sum is right, and yet no transfer explains it."""
    found = check(MANY, KEYS, END | {"3": 95, "4": 105})
    assert ([], ["account 3 by -5", "account 4 by +5"]) == (
        found.anomalies["wrong-total"], found.anomalies["unexplained"])


def test_an_acknowledged_transfer_that_is_not_booked_is_named():
    found = check(MANY, KEYS[1:], END | {"1": 91, "2": 109})
    assert ("invalid", ["t0"], []) == (
        found.outcome, found.anomalies["lost"], found.anomalies["unexplained"])
    assert "1 acknowledged transfers are not booked: t0" == found.text


def test_as_many_as_the_recovery_point_allows_may_be_lost():
    after = END | {"1": 91, "2": 109}
    assert ["invalid", "valid"] == [check(MANY, KEYS[1:], after, n).outcome for n in (0, 1)]


def test_a_transfer_booked_without_its_money_is_named():
    """The ledger's row is there, the balances know nothing of it."""
    found = check([*MANY, move(99, "3", "4", 7, outcome="info")], [*KEYS, "t99"], END)
    assert ["account 3 by +7", "account 4 by -7"] == found.anomalies["disagreeing"]
    assert "invalid" == found.outcome


@pytest.mark.parametrize("happened", [True, False])
def test_a_transfer_nobody_knows_about_may_have_happened_or_not(happened):
    unsure = move(99, "3", "4", 7, outcome="info")
    after = END | ({"3": 93, "4": 107} if happened else {})
    assert "valid" == check([*MANY, unsure], [*KEYS, *(["t99"] * happened)], after).outcome


@pytest.mark.parametrize("counted", [True, False])
def test_a_transfer_under_way_at_the_first_look_may_be_in_it(counted):
    early = move(99, "3", "4", 7, at=4.95)
    after = END | ({} if counted else {"3": 93, "4": 107})
    assert "valid" == check([*MANY, early], [*KEYS, "t99"], after).outcome


def test_a_transfer_over_before_the_first_look_counts_no_more():
    found = check([*MANY, move(99, "3", "4", 7, at=1.0)], KEYS, END)
    assert ("valid", 10) == (found.outcome, found.counts["acknowledged"])


def test_a_refused_transfer_that_is_booked_is_named():
    found = check([*MANY, move(99, outcome="fail")], [*KEYS, "t99"], END)
    assert ["t99"] == found.anomalies["unexpected"]


def test_a_refused_transfer_that_is_not_booked_is_nothing():
    assert "valid" == check([*MANY, move(99, outcome="fail")], KEYS, END).outcome


def test_a_transfer_booked_twice_is_named():
    found = check(MANY, [*KEYS, "t3"], END)
    assert ("invalid", ["t3"]) == (found.outcome, found.anomalies["duplicated"])


@pytest.mark.parametrize(("overdraft", "outcome"), [(False, "invalid"), (True, "valid")])
def test_a_negative_balance_is_named_unless_it_may_be(overdraft, outcome):
    history = [*MANY, move(99, "3", "4", 103)]
    found = check(history, [*KEYS, "t99"], END | {"3": -3, "4": 203},
                  params={"overdraft": overdraft})
    assert outcome == found.outcome


def test_where_others_change_balances_too_only_the_sum_is_held():
    found = check(MANY, KEYS, END | {"3": 95, "4": 105}, params={"closed": False})
    assert "valid" == found.outcome


def test_cents_are_exact():
    history = [*MANY, *(move(50 + n, "3", "4", "0.1") for n in range(3))]
    keys = [o.key for o in history]
    assert "valid" == check(history, keys, END | {"3": "99.7", "4": "100.3"}).outcome


def test_too_few_transfers_prove_nothing():
    found = check(MANY[:3], KEYS[:3], START | {"1": 97, "2": 103})
    assert ("unknown", "only 3 acknowledged transfers were seen; 10 are needed to judge") == (
        found.outcome, found.text)


def test_what_too_many_unsure_transfers_leave_open_is_unknown():
    """Sums of subsets: nobody can try them all, and nobody pretends to have done so."""
    unsure = [move(100 + n, "3", "4", 1000003 * n + n ** 3, outcome="info") for n in range(1, 41)]
    gone = sum(o.value["amount"] for o in unsure[::2]) + 1
    start = START | {"3": 10**9, "4": 0}
    found = check([*MANY, *unsure], KEYS, END | {"3": 10**9 - gone, "4": gone},
                  before=look(start))
    assert ("unknown", 2) == (found.outcome, found.counts["undecided"])


@pytest.mark.parametrize(("value", "told"), [
    ("t1", "operation 1 is no transfer, it lacks a mapping"),
    ({"key": "t1", "source": 1, "amount": 3}, "lacks target"),
    ({"key": "t1", "source": 1, "target": 2, "amount": "much"}, "'much' is no amount"),
    ({"key": "t1", "source": 1, "target": 2, "amount": "NaN"}, "'NaN' is no amount"),
])
def test_a_history_of_something_else_is_refused(value, told):
    wrong = Operation(1, 1, "transfer", value, 10, 10, 10.1, "ok")
    with pytest.raises(CheckError, match=told):
        check([wrong], [], START)


def test_without_a_look_before_nothing_can_be_said():
    with pytest.raises(CheckError, match="before the first fault are not known"):
        check(MANY, KEYS, END, before=None)


def test_it_asks_for_balances_at_both_ends_and_for_their_sum_in_between():
    params = BankParams(accounts="bank.accounts", account="no", balance="cents")
    asked = {moment: CHECKER.asks(moment, params) for moment in Moment}
    both = {"balances": 'SELECT "no"::text, "cents"::text FROM "bank"."accounts"'}
    sums = {"sum": 'SELECT coalesce(sum("cents"), 0)::text FROM "bank"."accounts"'}
    assert {Moment.BEFORE: both, Moment.DURING: sums, Moment.AFTER: both} == asked
