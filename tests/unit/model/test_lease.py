"""What a lease says of the target (B1, S2)."""

import pytest

from holdfast.model.lease import LeaseState
from support.leases import a_lease


@pytest.mark.parametrize(("facts", "touched"), [
    ({"state": LeaseState.ARMED}, False),
    ({"state": LeaseState.CLEAN}, False),
    ({"state": LeaseState.INJECTING}, True),
    ({"state": LeaseState.CLEAN, "reverted_at": 3.0}, True),
    ({"state": LeaseState.CLEAN, "injected_at": 1.0, "reverted_at": 3.0}, True),
])
def test_a_fault_that_died_before_it_could_say_so_counts(facts, touched):
    assert touched is a_lease(**facts).is_touched
