"""The guard ends a fault that has cost or hit all it may, in a world where only the test moves."""

from decimal import Decimal

import pytest

from holdfast.model.allowance import BudgetSpec
from holdfast.model.lease import End, LeaseState, Reason
from holdfast.safety.meter import Allowed, Purse
from support.guard import World, a_lease

PRICE = BudgetSpec.model_validate({"most_requests_per_second": 50})


def allowed(reserved: str = "100", **changes: object) -> Allowed:
    parts = {"requests": "requests", "hit": "hit",
             "requests_then": {"": 5000.0}, "hit_then": {"": 10.0},
             "before": 400.0, "traffic": 0.05,
             "purse": Purse(reserved=Decimal(reserved), budget=PRICE)}
    return Allowed(**(parts | changes))  # type: ignore[arg-type]


def busy(per_second: float = 100.0, hits: float = 0.0, **parts: object) -> World:
    """A world whose customers never rest; `hits` of them a second are hit from 3 s on."""
    world = World(values={"p95": 0.2, "errors": 0.0, "requests": 5000.0, "hit": 10.0}, **parts)
    for tick in range(1200):
        now = tick / 10
        world.at(now, world.set(
            requests=5000.0 + round(per_second * now), hit=10.0 + round(hits * max(0.0, now - 3))))
    return world


def test_a_fault_within_its_limits_runs_its_time():
    assert End.DURATION is busy().guard(allowed=allowed()).ended


def test_a_budget_that_is_used_up_ends_the_fault_midway():
    """B1: 0.9 pays for 900 requests; 5 s of them are kept back for the end."""
    world = busy()
    end = world.guard(allowed=allowed("0.9"))
    assert Reason.BUDGET is end.revoked.reason
    assert 3.5 <= world.clock.passed <= 5.5
    cost = Decimal(str(end.revoked.reading["cost"]))
    assert Decimal("0.3") <= cost <= Decimal("0.5")
    assert 0.2 == end.revoked.reading["latency-p95"]


def test_a_blast_radius_that_is_exceeded_ends_the_fault():
    """S2: 20 of 100 requests a second are hit."""
    end = busy(hits=20.0).guard(allowed=allowed())
    assert Reason.BREACH is end.revoked.reason
    assert end.revoked.text.startswith("blast radius: ")


def test_an_objective_that_is_breached_says_more():
    world = busy(hits=20.0)
    world.at(3.0, world.set(p95=2.0))
    assert world.guard(allowed=allowed()).revoked.text.startswith("latency-p95")


def test_no_fault_begins_before_its_traffic_can_be_counted():
    world = World(values={"p95": 0.2, "errors": 0.0, "requests": None, "hit": 0.0})
    end = world.guard(allowed=allowed())
    assert (Reason.NO_DATA, []) == (end.revoked.reason, world.renewals)


def test_a_counter_that_falls_silent_ends_the_fault_after_the_grace():
    world = World(values={"p95": 0.2, "errors": 0.0, "requests": 5000.0, "hit": 0.0})
    world.at(2.0, world.set(requests=None))
    end = world.guard(allowed=allowed())
    assert Reason.NO_DATA is end.revoked.reason
    assert end.revoked.text.startswith("no data for the requests for 3.")


@pytest.mark.parametrize(("reserved", "reason"), [("0.7", Reason.BUDGET), ("100", None)])
def test_a_moved_guard_goes_on_with_the_count(reserved, reason):
    """It begins when the fault has been on for 4 s and 400 requests have been counted."""
    lease = a_lease(state=LeaseState.ACTIVE, counter=7, injected_at=996.0)
    world = World(lease=lease, values={"p95": 0.2, "errors": 0.0, "requests": 5400.0, "hit": 10.0})
    end = world.guard(allowed=allowed(reserved))
    assert reason is (end.revoked and end.revoked.reason)
