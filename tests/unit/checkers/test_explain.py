"""R6: which unsure transfers happened, told from the balances."""

from decimal import Decimal
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.checkers._explain import Transfer, explain

ACCOUNTS = "abcd"


def t(source, target, amount, key="k"):
    return Transfer(key, source, target, Decimal(amount))


def change(*happened):
    found = {}
    for one in happened:
        if one.source != one.target:
            for account in (one.source, one.target):
                found[account] = found.get(account, 0) + one.effect_on(account)
    return found


TRANSFERS = st.lists(st.builds(
    t, st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS), st.integers(0, 4)), max_size=8)


def test_nothing_to_explain_is_explained():
    assert ({}, []) == (explain({"a": Decimal(0)}, []).left, explain({}, []).undecided)


def test_money_from_nowhere_is_left():
    assert {"a": 3} == explain({"a": Decimal(3), "b": Decimal(0)}, [t("b", "c", 3)]).left


def test_a_transfer_that_happened_by_half_is_left_at_one_end():
    found = explain({"a": Decimal(-3), "b": Decimal(0)}, [t("a", "b", 3)])
    assert 1 == len(found.left)


def test_a_circle_is_searched():
    circle = [t("a", "b", 1), t("b", "c", 2), t("c", "a", 3)]
    assert {} == explain(change(*circle[:2]), circle).left
    assert explain({"a": Decimal(1), "b": Decimal(-1), "c": Decimal(1)}, circle).left


def test_a_circle_that_is_too_large_for_the_budget_is_undecided():
    many = [t("a", "b", 2 ** n) for n in range(12)]
    found = explain(change(*many[::2]), many, budget=3)
    assert ({}, ["a", "b"]) == (found.left, found.undecided)


def test_what_surely_cannot_be_is_found_without_searching():
    many = [t("a", "b", 2 ** n) for n in range(40)]
    assert {"a", "b"} == set(explain({"a": Decimal(5), "b": Decimal(-5)}, many).left)


@given(TRANSFERS, st.data())
def test_what_some_of_them_did_is_explained(transfers, data):
    some = [one for one in transfers if data.draw(st.booleans())]
    found = explain(change(*some), transfers)
    assert ({}, []) == (dict(found.left), found.undecided)


@given(TRANSFERS, st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(-4, 4).map(Decimal)))
def test_it_agrees_with_trying_every_choice(transfers, wanted):
    target = {a: v for a, v in wanted.items() if v}
    possible = any(
        {a: v for a, v in change(*some).items() if v} == target
        for count in range(len(transfers) + 1) for some in combinations(transfers, count)
    )
    assert possible == (not explain(wanted, transfers).left)
