"""How a fault's life ended, as the store tells it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.errors import (
    ApprovalRefused,
    BudgetExhausted,
    FaultError,
    GuardTripped,
    SafetyError,
    Stopped,
)
from holdfast.model.fault import Fault, Recipe
from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.model.verdict import Verdict
from holdfast.ports.leases import StoreDown
from holdfast.steps.book import findings
from holdfast.steps.conclude import conclude, ending, measured
from support.guard import a_lease
from support.memory_leases import MemoryJournals, MemoryLeases
from support.ports import FakeClock, memory_ports

ON = {"injected_at": 100.0, "reverted_at": 104.25, "state": LeaseState.REVERTING}


def revoked(reason, text="why", **facts):
    return Revocation(reason, text, "guard", "", **facts)


def concluded(tmp_path, lease, **changes):
    """Conclude; the finding and the error, if any."""
    ports = memory_ports(tmp_path, **changes)
    ports.leases.rows[lease.id] = lease
    error = None
    try:
        conclude(ports, "run", "hang", lease.id)
    except (FaultError, SafetyError) as raised:
        error = raised
    return ports, findings(ports, "run")[0], error


def test_a_fault_that_ran_its_time_held(tmp_path):
    _, finding, error = concluded(tmp_path, a_lease(ended=End.DURATION, **ON))
    assert (finding.name, finding.verdict, finding.experiment) == ("fault", Verdict.HELD, "hang")
    assert finding.text == "the fault ran its 8 s under guard"
    assert error is None


def test_a_breach_is_broken_and_says_what_the_guard_saw(tmp_path):
    why = revoked(Reason.BREACH, "latency-p95 was 1930ms", reading={"latency-p95": 1.93},
                  spent_ms=12.5)
    _, finding, error = concluded(tmp_path, a_lease(ended=End.REVOKED, revoked=why, **ON))
    assert Verdict.BROKEN is finding.verdict
    assert finding.text == "the guard stopped the fault: latency-p95 was 1930ms"
    assert isinstance(error, GuardTripped)
    assert (error.reading, finding.measured["guard_ms"]) == ({"latency-p95": 1.93}, 12.5)


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.BREACH}))
def test_every_other_revocation_is_unknown(tmp_path, reason):
    lease = a_lease(ended=End.REVOKED, revoked=revoked(reason), **ON)
    _, finding, error = concluded(tmp_path, lease)
    assert Verdict.UNKNOWN is finding.verdict
    assert finding.text.endswith(": why")
    others = {Reason.BUDGET: BudgetExhausted, Reason.WITHDRAWN: ApprovalRefused}
    expected = others.get(reason, Stopped)
    assert (expected, 4) == (type(error), error.exit_code)


@pytest.mark.parametrize(("ended", "error"), [
    (End.SILENCE, Stopped), (End.SIGNAL, Stopped), (End.REFUSED, Stopped), (End.ADOPTED, Stopped),
    (End.FAILED, FaultError), (End.CHILD_DIED, FaultError), (End.PARENT_DIED, FaultError),
    (End.EXPIRED, FaultError),
])
def test_an_end_that_is_not_the_durations_is_unknown(ended, error):
    end = ending(a_lease(ended=ended, **ON), None)
    assert Verdict.UNKNOWN is end.verdict
    assert type(end.error) is error


def test_what_the_driver_said_is_passed_on():
    end = ending(a_lease(ended=End.FAILED, detail="permission denied", **ON), None)
    assert end.text == "the injection failed and was reverted; permission denied"


def test_a_breach_before_the_injection_is_no_broken_hypothesis():
    end = ending(a_lease(state=LeaseState.CLEAN, revoked=revoked(Reason.BREACH)), Reason.BREACH)
    assert (Verdict.UNKNOWN, Stopped) == (end.verdict, type(end.error))


def test_a_breach_outranks_a_duration_that_ended_at_the_same_moment():
    end = ending(a_lease(ended=End.DURATION, revoked=revoked(Reason.BREACH), **ON), Reason.BREACH)
    assert Verdict.BROKEN is end.verdict


def test_a_neighbours_abort_after_the_end_changes_nothing():
    end = ending(a_lease(ended=End.DURATION, revoked=revoked(Reason.ROUND), **ON), Reason.BREACH)
    assert Verdict.HELD is end.verdict


@pytest.mark.parametrize("state", [LeaseState.UNCLEAN, LeaseState.UNPROVEN])
def test_a_fault_that_left_something_did_not_hold(state):
    end = ending(replace(a_lease(ended=End.DURATION, **ON), state=state, detail="a toxic"), None)
    assert (end.verdict, end.error) == (Verdict.UNKNOWN, None)
    assert f"the fault ran its time, but its end is {state}: a toxic" == end.text


@pytest.mark.parametrize(("cause", "verdict", "error"), [
    (Reason.BREACH, Verdict.BROKEN, GuardTripped), (Reason.NO_DATA, Verdict.UNKNOWN, Stopped),
])
def test_a_neighbours_revocation_counts_for_every_fault_that_was_on(
        tmp_path, cause, verdict, error):
    """Which of two faults side by side broke the objective cannot be told."""
    why = Revocation(cause, "p95 was high", "guard", "2026")
    leases = MemoryLeases()
    leases.rows["other"] = a_lease("other", experiment="b", revoked=why)
    lease = a_lease(ended=End.REVOKED, revoked=replace(why, reason=Reason.ROUND), **ON)
    _, finding, raised = concluded(tmp_path, lease, leases=leases)
    assert (verdict, error) == (finding.verdict, type(raised))


def test_it_waits_for_the_keeper_to_let_go(tmp_path):
    lease = a_lease(state=LeaseState.ACTIVE, injected_at=100.0, revoked=revoked(Reason.STOPPED))
    clock = FakeClock()
    ports = memory_ports(tmp_path, clock=clock)
    ports.leases.rows["lease"] = lease
    clock.on_sleep = lambda passed: passed > 0.5 and ports.leases.move(
        "lease", LeaseState.REVERTING, ended=End.REVOKED)
    with pytest.raises(Stopped):
        conclude(ports, "run", "hang", "lease")
    assert 0.5 < clock.passed < 0.8


def test_a_fault_that_nobody_watches_any_more_is_revoked(tmp_path):
    ports, finding, error = concluded(tmp_path, a_lease(state=LeaseState.ACTIVE, injected_at=1.0))
    assert Reason.CLOSED is ports.leases.read("lease").revoked.reason
    assert (Verdict.UNKNOWN, Stopped) == (finding.verdict, type(error))
    assert ports.clock.passed <= 3.2


def test_a_dead_keeper_does_not_keep_the_revert_waiting(tmp_path):
    lease = a_lease(state=LeaseState.ACTIVE, injected_at=1.0, revoked=revoked(Reason.KEEPER_SILENT))
    ports, finding, _ = concluded(tmp_path, lease)
    assert ports.clock.passed == 0.0
    assert finding.text == "the keeper fell silent: why"


def test_a_store_that_is_down_leaves_a_finding_too(tmp_path):
    """N18: no data never counts as passed."""
    class Down(MemoryLeases):
        def read(self, lease_id):
            raise StoreDown("live.db: unable to open database file")

    ports, finding, error = concluded(tmp_path, a_lease(), leases=Down())
    assert (finding.verdict, type(error)) == (Verdict.UNKNOWN, Stopped)
    assert finding.text.endswith("unable to open database file")
    assert ports.clock.passed >= 3.0


def test_an_aborts_latency_is_the_guards_part_and_the_keepers(tmp_path):
    why = replace(revoked(Reason.BREACH, spent_ms=12.5), at="2025-12-31T23:59:59.900000+00:00")
    journals = MemoryJournals()
    journals.create(
        a_lease(), Fault("noop", "api", {}, "", timedelta(8)), Recipe("lease", "noop", {}))
    journals.open("lease").write(LeaseState.REVERTING)
    lease = a_lease(ended=End.REVOKED, revoked=why, **ON)
    _, finding, _ = concluded(tmp_path, lease, journals=journals)
    assert (12.5, 100.0) == (finding.measured["guard_ms"], finding.measured["keeper_ms"])


def test_a_breach_while_the_injection_was_under_way_counts():
    lease = a_lease(state=LeaseState.REVERTING, ended=End.REVOKED, revoked=revoked(Reason.BREACH))
    assert ending(lease, Reason.BREACH).verdict is Verdict.BROKEN


def test_the_figures_of_the_lease():
    assert measured(a_lease(ended=End.DURATION, widest_gap=0.62, **ON)) == {
        "lease_seconds": 5.0, "lease_margin_seconds": 4.38, "active_seconds": 4.25,
    }


def test_figures_that_are_not_known_yet_are_left_out():
    assert measured(
        a_lease(revoked=revoked(Reason.STOPPED))) == {"lease_seconds": 5.0, "revoked": "stopped"}
