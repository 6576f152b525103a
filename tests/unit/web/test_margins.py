"""S5: the margin that a page shows is never wider than the lease really had."""

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.lease import LeaseState
from holdfast.web.margins import Margin, Margins
from support.leases import a_lease


def lease(counter, **changes):
    return a_lease(counter=counter, state=LeaseState.ACTIVE, **changes)


def test_a_lease_that_is_renewed_keeps_its_margin():
    """The second look at the latest may have come just after the renewal before it."""
    margins = Margins()
    for second in range(4):
        margins.note([lease(second + 1)], float(second))
    assert {"lease-1": Margin(4.0, 3.0)} == margins.now()


@given(
    st.lists(st.floats(0.01, 3.0), min_size=1, max_size=30),
    st.lists(st.floats(0.05, 1.0), min_size=2, max_size=60),
)
def test_no_margin_is_told_larger_than_it_was(gaps, pauses):
    """Renewals and looks in any order, from a look just after the first renewal on."""
    renewed = [0.0, *accumulate(gaps)]
    margins, told, widest = Margins(), [], 0.0
    for now in [0.0, *accumulate(pauses)]:
        before = [at for at in renewed if at <= now]
        margins.note([lease(len(before))], now)
        widest = max([widest, now - before[-1], *(b - a for a, b in pairwise(before))])
        told.append((margins.now()["lease-1"], 5.0 - (now - before[-1])))
    for margin, left in told:
        assert margin.left <= max(0.0, left) + 1e-9
    assert told[-1][0].smallest <= max(0.0, 5.0 - widest) + 1e-9


def test_without_renewals_it_runs_down():
    margins = Margins()
    margins.note([lease(7)], 10.0)
    margins.note([lease(7)], 13.5)
    assert {"lease-1": Margin(1.5, 1.5)} == margins.now()


def test_the_smallest_stays_when_the_guard_is_back():
    margins = Margins()
    for counter, at in ((1, 0.0), (1, 4.0), (2, 4.5), (3, 5.0)):
        margins.note([lease(counter)], at)
    assert {"lease-1": Margin(4.5, 0.5)} == margins.now()


def test_nothing_is_left_of_a_lease_that_ran_out():
    margins = Margins()
    margins.note([lease(1)], 0.0)
    margins.note([lease(1)], 60.0)
    assert {"lease-1": Margin(0.0, 0.0)} == margins.now()


def test_before_the_guard_and_after_the_revert_there_is_no_margin():
    margins = Margins()
    margins.note([lease(0)], 0.0)
    assert {} == margins.now()
    margins.note([lease(1)], 1.0)
    margins.note([lease(1, reverted_at=2.0)], 2.0)
    assert {} == margins.now()
