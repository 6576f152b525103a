"""The ledger's arithmetic: no day is overdrawn, nothing is lost, nothing is free (B1, B2)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Postponed
from holdfast.model.ledger import Account, Balance, Claim, Posting, as_amount, millionths
from holdfast.safety.ledger import balance, by_experiment, reserving, settling, taken

DAY, AT = "2026-01-01", "2026-01-01T02:00:00+00:00"
RUNS = ("a", "b", "c")
DAYS = st.sampled_from(("2026-01-01", "2026-01-02"))
AMOUNTS = st.decimals(0, 60, places=6)
DEEDS = st.one_of(
    st.tuples(st.just("reserve"), st.sampled_from(RUNS), DAYS,
              st.dictionaries(st.sampled_from(("x", "y")), AMOUNTS, min_size=1)),
    st.tuples(st.just("settle"), st.sampled_from(RUNS), st.none(),
              st.dictionaries(st.sampled_from(("x", "y")), AMOUNTS)),
)


def claim(limit="100", run="a", day=DAY, **amounts):
    return Claim(run, day, "EUR", Decimal(limit), {k: Decimal(v) for k, v in amounts.items()})


def reserved(*claims):
    there: list[Posting] = []
    for asked in claims:
        there += ask(asked, there)
    return there


def ask(asked, there):
    """As a store asks: with the run's own postings, and what its day has given away."""
    own = [p for p in there if p.run_id == asked.run_id]
    return reserving(asked, own, taken(there, asked.day, asked.currency), AT)


def costs(**amounts):
    return {name: Decimal(amount) for name, amount in amounts.items()}


def test_what_is_asked_for_is_set_aside_for_each_experiment():
    there = reserved(claim(x="30", y="12.5"))
    assert [
        Posting(DAY, "EUR", "a", "x", Account.FREE, Account.RESERVED, 30_000_000, AT),
        Posting(DAY, "EUR", "a", "y", Account.FREE, Account.RESERVED, 12_500_000, AT),
    ] == there


def test_too_little_left_postpones_and_says_what_is_left():
    """B1: 500 a day, 480 taken."""
    there = reserved(claim("500", x="480"))
    with pytest.raises(Postponed) as refused:
        ask(claim("500", run="b", x="15", y="5.000001"), there)
    assert (
        "the budget of 2026-01-01 (UTC) has 20 of 500 EUR left, and this run may cost 20.000001"
    ) == refused.value.reason


def test_all_that_is_left_may_be_taken():
    assert 500_000_000 == taken(reserved(claim("500", x="480"), claim("500", "b", x="20")),
                                DAY, "EUR")


@pytest.mark.parametrize("other", [
    pytest.param({"day": "2026-01-02"}, id="another-day"),
    pytest.param({"currency": "USD"}, id="another-currency"),
])
def test_a_day_and_a_currency_have_limits_of_their_own(other):
    asked = claim("10", x="10")
    beside = Claim(**({"run_id": "b", "day": DAY, "currency": "EUR", "limit": Decimal(10),
                       "amounts": {"x": Decimal(10)}} | other))
    assert 2 == len(reserved(asked, beside))


def test_asking_again_takes_nothing_more():
    """A task runs again."""
    there = reserved(claim(x="60"))
    assert [] == ask(claim(x="60"), there)


def test_asking_for_less_gives_back_and_for_more_takes_the_difference():
    there = reserved(claim(x="60", y="5"), claim(x="70"))
    assert {"x": Decimal(70), "y": Decimal(0)} == {
        name: own.open for name, own in by_experiment(there).items()}


def test_a_run_begun_again_on_the_next_day_gives_the_first_day_back():
    there = reserved(claim(x="60"), claim(day="2026-01-02", x="60"))
    assert (0, 60_000_000) == (taken(there, DAY, "EUR"), taken(there, "2026-01-02", "EUR"))


def test_a_day_that_was_overrun_still_lets_a_run_ask_for_what_it_has():
    there = reserved(claim("60", x="30"), claim("60", "b", x="30"))
    there += settling([p for p in there if p.run_id == "b"], costs(x="35"), AT)
    assert [] == ask(claim("60", x="30"), there)


def test_what_was_not_spent_is_given_back():
    there = reserved(claim(x="30"))
    there += settling(there, costs(x="12"), AT)
    assert Balance(Decimal(30), Decimal(12), Decimal(18), Decimal(0)) == balance(there)
    assert 12_000_000 == taken(there, DAY, "EUR")


def test_what_is_not_known_is_not_free():
    there = reserved(claim(x="30"))
    there += settling(there, {}, AT)
    assert Balance(Decimal(30), Decimal(30), Decimal(0), Decimal(0)) == balance(there)


def test_an_overrun_is_booked():
    there = reserved(claim(x="30"))
    there += settling(there, costs(x="31"), AT)
    assert Balance(Decimal(30), Decimal(31), Decimal(0), Decimal(0)) == balance(there)
    assert 31_000_000 == taken(there, DAY, "EUR")


def test_settling_again_changes_nothing():
    there = reserved(claim(x="30"))
    there += settling(there, costs(x="12"), AT)
    assert [] == settling(there, costs(x="40"), AT)


@given(st.lists(DEEDS))
def test_no_order_of_deeds_reserves_beyond_the_limit_or_loses_anything(deeds):
    """B2: whatever is reserved, settled and reserved again."""
    there: list[Posting] = []
    overrun: dict[str, int] = {"2026-01-01": 0, "2026-01-02": 0}
    for deed, run, day, amounts in deeds:
        if deed == "reserve":
            before = taken(there, day, "EUR")
            try:
                new = ask(Claim(run, day, "EUR", Decimal(100), amounts), there)
            except Postponed:
                continue
            there += new
            assert taken(there, day, "EUR") <= max(before, 100_000_000)
        else:
            new = settling([p for p in there if p.run_id == run], amounts, AT)
            there += new
            assert 0 == balance(p for p in there if p.run_id == run).open
        for posting in new:
            if (posting.source, posting.target) == (Account.FREE, Account.SPENT):
                overrun[posting.day] += posting.amount
    for day, over in overrun.items():
        assert 0 <= taken(there, day, "EUR") <= 100_000_000 + over
    whole = balance(there)
    assert whole.reserved + as_amount(sum(overrun.values())) == (
        whole.spent + whole.released + whole.open)
    assert all(own.open >= 0 for own in by_experiment(there).values())


@given(st.integers(0, 10**18))
def test_amounts_are_exact(count):
    assert count == millionths(as_amount(count))


def test_what_is_finer_than_a_millionth_is_rounded_up():
    assert 1 == millionths(Decimal("0.0000001"))
