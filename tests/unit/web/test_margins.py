"""S5: the margin that a page shows is never wider than the lease really had."""

from holdfast.model.lease import LeaseState
from holdfast.web.margins import Margin, Margins
from support.leases import a_lease


def lease(counter, **changes):
    return a_lease(counter=counter, state=LeaseState.ACTIVE, **changes)


def test_a_lease_that_is_renewed_keeps_its_margin():
    margins = Margins()
    for second in range(4):
        margins.note([lease(second + 1)], float(second))
    assert {"lease-1": Margin(5.0, 4.0)} == margins.now()


def test_without_renewals_it_runs_down():
    margins = Margins()
    margins.note([lease(7)], 10.0)
    margins.note([lease(7)], 13.5)
    assert {"lease-1": Margin(1.5, 1.5)} == margins.now()


def test_the_smallest_stays_when_the_guard_is_back():
    margins = Margins()
    for counter, at in ((1, 0.0), (1, 4.0), (2, 4.5), (3, 5.0)):
        margins.note([lease(counter)], at)
    assert {"lease-1": Margin(5.0, 0.5)} == margins.now()


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
