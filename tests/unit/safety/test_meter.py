"""When a fault has cost or hit all it may (B1, S2)."""

from decimal import Decimal

import pytest

from holdfast.model.allowance import BudgetSpec
from holdfast.model.lease import LeaseState, Reason
from holdfast.ports.metrics import Sample
from holdfast.safety.meter import Allowed, Meter, Policy, Purse
from support.guard import a_lease

QUIET = a_lease(state=LeaseState.ARMED)
ON = a_lease(state=LeaseState.ACTIVE, injected_at=100.0, duration_seconds=60.0)


def budget(**changes):
    return BudgetSpec.model_validate({"most_requests_per_second": 100} | changes)


def allowed(reserved="", **changes):
    purse = Purse(reserved=Decimal(reserved), budget=budget()) if reserved else None
    parts = {"requests": "r", "hit": "h", "requests_then": {"": 1000.0}, "hit_then": {"": 0.0},
             "purse": purse}
    return Allowed(**(parts | changes))


def samples(requests=None, hit=0.0):
    return {"r": _sample(requests), "h": _sample(hit)}


def _sample(read):
    """One number, or a number for each series."""
    each = read if isinstance(read, dict) else {} if read is None else {"": read}
    return Sample(read if len(each) == 1 else None, 0.0, "late", each)


def meter(task, *, hold=False, lease_seconds=5.0):
    return Meter(task, Policy(3.0, hold), lease_seconds)


def run(made, *looks):
    """Each look is (lease, now, requests, hit); give back the last one's answer."""
    last = None
    for lease, now, requests, hit in looks:
        last = made.look(samples(requests, hit), lease, now)
    return last


def test_the_fault_ends_when_what_is_left_is_needed_for_its_end():
    """B1: 100 requests a second; 10 s and 5 s for the end are paid for."""
    made = meter(allowed("1.5"))
    run(made, (QUIET, 99.0, 1000.0, 0.0))
    answers = {n: made.look(samples(1000.0 + 100 * n), ON, 100.0 + n) for n in range(1, 11)}
    assert [None] * 9 == [answers[n] for n in range(1, 10)]
    limit = answers[10]
    assert Reason.BUDGET is limit.reason
    assert (
        "1000 requests and 10.0 s have cost 1 of the 1.5 EUR that were reserved, "
        "and ending it may cost 0.5"
    ) == limit.text
    assert {"cost": "1", "kept_back": "0.5", "reserved": "1.5", "currency": "EUR",
            "requests": 1000} == limit.reading


def test_requests_before_the_fault_cost_nothing():
    made = meter(allowed("1.5"))
    assert None is run(made, (QUIET, 10.0, 1000.0, 0.0), (QUIET, 99.0, 9000.0, 0.0),
                       (QUIET, 99.5, 9000.0, 0.0), (ON, 101.0, 9100.0, 0.0))


def test_requests_of_the_step_in_which_it_began_count():
    """The fault came on after the reading before: nobody knows when in between."""
    made = meter(allowed("0.5"), lease_seconds=0.0)
    run(made, (QUIET, 99.0, 1000.0, 0.0), (QUIET, 100.0, 1300.0, 0.0))
    assert 500 == run(made, (ON, 101.0, 1500.0, 0.0)).reading["requests"]


def test_a_guard_that_was_moved_counts_from_when_it_was_asked_for():
    """It needs no memory: what it does not know counts against the fault."""
    limit = run(meter(allowed("1.5")), (ON, 112.0, 2200.0, 0.0))
    assert 1200 == limit.reading["requests"]


def test_a_counter_that_began_anew_loses_nothing_that_was_seen():
    made = meter(allowed("1"), lease_seconds=0.0)
    run(made, (QUIET, 99.0, 1000.0, 0.0), (ON, 101.0, 1600.0, 0.0))
    assert 1000 == run(made, (ON, 105.0, 400.0, 0.0)).reading["requests"]


def test_while_nobody_can_read_the_counter_requests_count_as_the_most_there_may_be():
    """Missing data is never free: 2.5 s at 100 requests a second."""
    made = meter(allowed("0.55"), lease_seconds=0.0)
    run(made, (QUIET, 100.0, 1000.0, 0.0), (ON, 101.0, 1300.0, 0.0))
    assert None is run(made, (ON, 103.0, None, 0.0))
    assert 550 == run(made, (ON, 103.5, None, 0.0)).reading["requests"]


@pytest.mark.parametrize(("requests", "hit", "told"), [
    (None, 0.0, "no data for the requests for 3.5 s: late"),
    (1000.0, None, "no data for the requests hit for 3.5 s: late"),
])
def test_no_data_past_the_grace_ends_it(requests, hit, told):
    made = meter(allowed("100"))
    run(made, (QUIET, 99.0, 1000.0, 0.0), (ON, 100.0, 1000.0, 0.0), (ON, 103.0, requests, hit))
    limit = run(made, (ON, 103.5, requests, hit))
    assert (Reason.NO_DATA, told) == (limit.reason, limit.text)


def test_no_data_may_be_held_through_as_far_as_the_money_goes():
    made = meter(allowed("1"), hold=True, lease_seconds=0.0)
    run(made, (QUIET, 100.0, 1000.0, 0.0), (ON, 100.5, 1000.0, 0.0))
    assert None is run(made, (ON, 110.0, None, None))
    assert Reason.BUDGET is run(made, (ON, 110.5, None, None)).reason


def test_without_data_no_fault_begins_even_where_it_may_be_held_through():
    made = meter(allowed("1"), hold=True)
    assert Reason.NO_DATA is run(made, (QUIET, 90.0, None, 0.0), (QUIET, 93.5, None, 0.0)).reason


def test_with_nothing_set_aside_there_is_no_fault():
    """A task that was cleared after its run had settled."""
    assert Reason.BUDGET is run(meter(allowed("0")), (QUIET, 90.0, 1000.0, 0.0)).reason


def test_time_costs_too():
    purse = Purse(reserved=Decimal(2), budget=budget(per_request=0, per_fault_minute=6))
    made = meter(Allowed(purse=purse))
    assert None is made.look({}, ON, 114.0)
    limit = made.look({}, ON, 115.0)
    assert ("1.5", "0.5") == (limit.reading["cost"], limit.reading["kept_back"])


def test_a_clock_of_another_host_costs_the_whole_fault():
    purse = Purse(reserved=Decimal("6.5"), budget=budget(per_request=0, per_fault_minute=6))
    assert Reason.BUDGET is Meter(Allowed(purse=purse), Policy(3.0), 5.0).look({}, ON, 7.0).reason


def test_a_fault_ends_that_hits_more_of_the_traffic_than_it_may():
    """S2: 5 % of all requests of the run."""
    made = meter(allowed(before=900.0, traffic=0.05))
    assert None is run(made, (QUIET, 99.0, 1000.0, 7.0), (ON, 101.0, 1100.0, 57.0))
    limit = run(made, (ON, 101.5, 1120.0, 59.0))
    assert Reason.BREACH is limit.reason
    assert (
        "blast radius: 52 of 1020 requests of the run were hit (5.1%), 5% allowed"
    ) == limit.text


def test_what_was_hit_before_the_fault_is_not_its_doing():
    made = meter(allowed(before=100.0, traffic=0.05))
    assert None is run(made, (QUIET, 90.0, 1000.0, 0.0), (QUIET, 99.0, 1100.0, 100.0),
                       (QUIET, 99.5, 1100.0, 100.0), (ON, 101.0, 1200.0, 100.0))


def test_requests_while_the_guard_waits_its_turn_are_the_runs_but_not_the_faults():
    """A cascade: it was asked for long before its first look."""
    made = meter(allowed(before=0.0, traffic=0.05), lease_seconds=0.0)
    assert None is run(made, (QUIET, 99.0, 3000.0, 90.0), (ON, 101.0, 3100.0, 100.0))
    limit = run(made, (ON, 102.0, 3200.0, 210.0))
    assert (120.0, 2200.0) == (limit.reading["hit"], limit.reading["requests"])


def test_before_the_fault_nothing_is_too_much():
    made = meter(allowed(before=1.0, traffic=0.0))
    assert None is run(made, (QUIET, 90.0, 1000.0, 0.0), (QUIET, 91.0, 1010.0, 10.0))


def test_an_injection_that_has_only_begun_counts():
    made = meter(allowed(before=100.0, traffic=0.05))
    injecting = a_lease(state=LeaseState.INJECTING)
    limit = run(made, (QUIET, 99.0, 1000.0, 0.0), (injecting, 99.5, 1100.0, 20.0))
    assert Reason.BREACH is limit.reason


def test_it_travels_as_json():
    task = allowed("1.000001")
    assert task == Allowed.model_validate_json(task.model_dump_json())
    assert (["r", "h"], []) == (task.queries(), Allowed().queries())


def test_an_instance_that_dies_takes_nothing_with_it_that_was_counted():
    """Each series by itself: in a sum the fall of one would be read as a restart of all."""
    made = meter(allowed("1", requests_then={"a": 500.0, "b": 900.0}), lease_seconds=0.0)
    run(made, (QUIET, 99.0, {"a": 500.0, "b": 900.0}, 0.0),
        (ON, 101.0, {"a": 600.0, "b": 1000.0}, 0.0))
    assert None is run(made, (ON, 102.0, {"b": 1100.0}, 0.0))
    back = {"a": 50.0, "b": 1200.0, "c": 10.0}  # one began anew, one is new
    assert None is run(made, (ON, 103.0, back, 0.0))
    assert 1000 == run(made, (ON, 105.0, back | {"b": 1740.0}, 0.0)).reading["requests"]
