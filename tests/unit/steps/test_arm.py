"""Arming: nothing before its conditions, nothing left when it fails (N5, N6, N21)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.errors import ApprovalRefused, FaultError, Postponed, SafetyError, Stopped
from holdfast.model.fault import Target
from holdfast.model.lease import LeaseState, Reason, Renewal, Revocation
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import Entry, EntryKind, Run
from holdfast.model.suite import Suite
from holdfast.steps.arm import arm
from holdfast.steps.book import findings
from holdfast.steps.finish import estate_of
from holdfast.stores.notary import LocalNotary
from support.keeping import FakeClock, FlakyLeases, KeepersInHand, TrickyDriver
from support.leases import file_ports

RUN = "core--run-1"
STOP = Revocation(Reason.STOPPED, "enough", "alice", "")


def suite(**experiments):
    fault = {"type": "noop", "target": "api", "duration": "8s"}
    return Suite.model_validate({
        "apiVersion": "holdfast/v1", "kind": "Suite",
        "metadata": {"name": "core", "owner": "us"},
        "target": {"environment": "lab", "services": {"api": {"process": "x.pid"}}},
        "objectives": [{"name": "up", "indicator": {"prometheus": "up"}, "objective": ">= 1"}],
        "rounds": [
            {"experiments": [{"name": "one", "hypothesis": "it holds", "fault": fault},
                             {"name": "two", "hypothesis": "it holds", "fault": fault}]},
            {"experiments": [{"name": "three", "hypothesis": "it holds", "fault": fault}]},
        ],
    })


def planned(name):
    target = {"name": "api-1", "service": "api", "share_permille": 1000}
    return {"name": name, "effect": "held", "targets": [target]}


@pytest.fixture
def ports(tmp_path):
    """A run that has come as far as its first round's steady state."""
    clock, keepers = FakeClock(), KeepersInHand(tmp_path / "stops.jsonl")
    made = file_ports(
        tmp_path, clock=clock, leases=FlakyLeases(tmp_path / "live.db"), keepers=keepers,
        drivers={"noop": TrickyDriver()},
    )
    keepers.estate = estate_of(made)

    def others_go_on(_passed):
        for keeper in keepers.kept.values():
            if keeper.is_alive:
                keeper.turn(0.05)

    clock.on_sleep = others_go_on
    made.books.open_run(Run(RUN, "core", "lab", "alice", "sha256:0", "", 0.0))
    written = suite().model_dump(mode="json", by_alias=True)
    entry(made, EntryKind.SUITE, "core", {"suite": written, "only": [], "dry_run": False})
    plan = [planned(name) for name in ("one", "two", "three")]
    told = {"digest": "sha256:0", "worst_case_ms": 60_000, "experiments": plan}
    entry(made, EntryKind.PLAN, "core", told)
    entry(made, EntryKind.STEADY, "round-1", {"broken": []})
    made.notary.append(RUN, Statement(f"{PREDICATES}run-start/v1", {}, {}))
    made.leases.lock("lab", RUN)
    yield made
    for keeper in keepers.kept.values():
        keeper.kill()
    made.leases.close()


def entry(ports, kind, name, data, at=None):
    at = at or ports.clock.now()
    ports.books.write(Entry(RUN, kind, name, data, at=at.isoformat()))


def nothing_is_left(ports):
    return not ports.leases.leases(open_only=True) and not ports.drivers["noop"].marks


def test_an_armed_lease_has_a_journal_a_keeper_and_an_entry(ports):
    lease_id = arm(ports, RUN, "one")
    assert LeaseState.ARMED is ports.leases.read(lease_id).state
    assert lease_id == ports.journals.open(lease_id).recipe().lease_id
    [entry] = ports.books.read(RUN, EntryKind.LEASE)
    assert ("one", lease_id) == (entry.experiment, entry.data["lease_id"])


def test_a_stop_between_the_last_look_and_the_lease_counts(ports, monkeypatch):
    """N5: before its lease is there, a stop leaves no trace but the environment's epoch."""
    epoch = ports.leases.environment("lab").epoch
    entry(ports, EntryKind.RESERVED, "lab", {"epoch": epoch})
    opening = ports.leases.open

    def stopped_just_before(lease):
        ports.leases.stop(STOP, run_id=RUN)
        return opening(lease)

    monkeypatch.setattr(ports.leases, "open", stopped_just_before)
    with pytest.raises(Stopped):
        arm(ports, RUN, "one")
    assert nothing_is_left(ports)


def test_the_lease_has_the_suites_terms(ports):
    lease = ports.leases.read(arm(ports, RUN, "one"))
    assert (5.0, 8.0, 0.0) == (lease.lease_seconds, lease.duration_seconds, lease.delay_seconds)
    assert ("lab", "api", 0) == (lease.environment, lease.service, lease.round)


def test_the_target_is_untouched(ports):
    arm(ports, RUN, "one")
    assert set() == ports.drivers["noop"].marks


def test_arming_again_closes_the_older_lease_first(ports):
    first = arm(ports, RUN, "one")
    second = arm(ports, RUN, "one")
    assert first != second
    old = ports.leases.read(first)
    assert (LeaseState.CLEAN, Reason.SUPERSEDED) == (old.state, old.revoked.reason)


def test_arming_again_while_the_first_fault_is_on_reverts_it_first(ports):
    """Somebody cleared the task in the UI."""
    first = arm(ports, RUN, "one")
    for _ in range(10):
        ports.leases.renew([Renewal(first)])
        ports.clock.sleep(0.1)
    assert {first} == ports.drivers["noop"].marks
    arm(ports, RUN, "one")
    assert set() == ports.drivers["noop"].marks


def test_another_experiment_of_the_round_is_left_alone(ports):
    first = arm(ports, RUN, "one")
    arm(ports, RUN, "two")
    assert ports.leases.read(first).revoked is None


def test_what_an_earlier_round_left_on_the_target_is_closed(ports):
    first = arm(ports, RUN, "one")
    entry(ports, EntryKind.STEADY, "round-2", {"broken": []})
    arm(ports, RUN, "three")
    assert LeaseState.CLEAN is ports.leases.read(first).state


def test_without_the_runs_start_on_record_there_is_no_lease(ports):
    ports.notary.log.clear()
    with pytest.raises(SafetyError, match="evidence log"):
        arm(ports, RUN, "one")
    assert [] == ports.leases.leases()


@pytest.mark.parametrize(("name", "broken", "age", "why"), [
    pytest.param("round-2", [], 0, "not found steady", id="of-another-round"),
    pytest.param("round-1", ["up is 0"], 0, "not found steady", id="it-was-not-steady"),
    pytest.param("round-1", [], 301, "301 s old", id="too-old"),
    pytest.param("round-1", [], -301, "a clock went back", id="of-a-time-to-come"),
])
def test_without_a_fresh_steady_state_there_is_no_lease(ports, name, broken, age, why):
    ports.books.entries = [e for e in ports.books.entries if e.kind is not EntryKind.STEADY]
    at = ports.clock.now() - timedelta(seconds=age)
    entry(ports, EntryKind.STEADY, name, {"broken": broken}, at)
    with pytest.raises(SafetyError, match=why):
        arm(ports, RUN, "one")
    assert [] == ports.leases.leases()


def test_a_held_environment_gets_no_lease(ports):
    ports.leases.stop(STOP, hold="audit")
    with pytest.raises((Stopped, Postponed), match="held: audit"):
        arm(ports, RUN, "one")


def test_a_run_that_was_stopped_gets_no_lease(ports):
    entry(ports, EntryKind.RESERVED, "lab", {"epoch": 0})
    ports.leases.stop(STOP)
    with pytest.raises(Stopped, match="stopped since"):
        arm(ports, RUN, "one")


def test_a_driver_that_refuses_leaves_nothing(ports):
    ports.drivers["noop"].refuse = "no such process"
    with pytest.raises(FaultError, match="no such process"):
        arm(ports, RUN, "one")
    assert nothing_is_left(ports)


def test_a_keeper_that_does_not_come_leaves_nothing(ports, monkeypatch):
    monkeypatch.setattr(ports.keepers, "start", lambda lease_id: None)
    with pytest.raises(FaultError, match="within 15 s"):
        arm(ports, RUN, "one")
    assert nothing_is_left(ports)


def test_a_keeper_that_comes_too_late_does_nothing(ports, monkeypatch):
    start = ports.keepers.start
    monkeypatch.setattr(ports.keepers, "start", lambda lease_id: None)
    with pytest.raises(FaultError):
        arm(ports, RUN, "one")
    [lease] = ports.leases.leases()
    start(lease.id)
    assert not ports.keepers.is_alive(lease.id)


def test_a_stop_while_arming_is_heard(ports, monkeypatch):
    monkeypatch.setattr(ports.keepers, "start", lambda lease_id: ports.leases.stop(STOP))
    with pytest.raises(Stopped, match="enough"):
        arm(ports, RUN, "one")
    assert nothing_is_left(ports)


def test_a_keeper_that_gives_up_at_once_leaves_nothing(ports, monkeypatch):
    def gives_up(lease_id):
        ports.leases.move(lease_id, LeaseState.CLEAN, detail="its driver is broken")

    monkeypatch.setattr(ports.keepers, "start", gives_up)
    with pytest.raises(FaultError, match="its driver is broken"):
        arm(ports, RUN, "one")
    assert nothing_is_left(ports)


def test_opened_at_is_a_date_in_utc(ports):
    lease = ports.leases.read(arm(ports, RUN, "one"))
    assert UTC == datetime.fromisoformat(lease.opened_at).tzinfo


def test_a_fault_that_would_hit_more_than_was_planned_is_refused(ports):
    """S2: targets are resolved again at arm."""
    ports.drivers["noop"].hit = [Target("api-1", "api", 0.5), Target("api-2", "api", 0.5)]
    with pytest.raises(SafetyError, match="it would hit api-2, and the plan names api-1"):
        arm(ports, RUN, "one")
    assert nothing_is_left(ports)
    assert "targets" in [f.name for f in findings(ports, RUN)]


def test_a_fault_that_is_in_no_plan_is_refused(ports):
    plan = {"digest": "sha256:0", "worst_case_ms": 0, "experiments": [planned("two")]}
    entry(ports, EntryKind.PLAN, "core", plan)
    with pytest.raises(SafetyError, match="the plan names nothing"):
        arm(ports, RUN, "one")


def test_drift_of_an_approved_plan_asks_for_another_approval(ports, tmp_path, monkeypatch):
    """S6: what was approved said nothing about these targets."""
    monkeypatch.setattr("holdfast.steps.planned.why_asked", lambda *_: "much impact")
    ports.drivers["noop"].hit = [Target("api-2", "api", 1.0)]
    with pytest.raises(ApprovalRefused, match="trigger a new run and have that approved"):
        arm(ports, RUN, "one")


def test_a_fault_that_must_be_approved_and_is_not_is_refused(ports):
    written = suite().model_dump(mode="json", by_alias=True) | {"approval": {"from_impact": 0}}
    entry(ports, EntryKind.SUITE, "core", {"suite": written, "only": [], "dry_run": False})
    real = LocalNotary(ports.settings.books, ports.settings.keys, ports.clock)
    real.append(RUN, Statement(f"{PREDICATES}run-start/v1", {}, {}))
    with pytest.raises(ApprovalRefused, match="nobody has approved the plan"):
        arm(replace(ports, notary=real), RUN, "one")
    assert nothing_is_left(ports)
