"""Kill each party of a real keeper at each state: no residue, a valid journal, in time (S4, S5)."""

import signal
import sqlite3
import time
from pathlib import Path

import pytest

from holdfast.errors import ResidueError
from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.steps.janitor import sweep
from holdfast.steps.mend import Limits
from holdfast.steps.revert import revert
from holdfast.steps.stop import stop

pytestmark = [pytest.mark.system, pytest.mark.kill]

IN_LEASE = 1.0 + 1.0
"""The lease of these tests, and the second that is allowed on top."""


def states(lab):
    return [line.state.value for line in lab.lines]


def revoke(lab, reason=Reason.BREACH):
    lab.ports.leases.revoke(lab.lease.id, Revocation(reason, "p95 is 700ms", "guard", "now"))


def test_a_fault_runs_its_time_and_ends_clean(lab):
    lab.activate(duration=0.6)
    lab.until_clean()
    assert ["opened", "armed", "injecting", "active", "reverting", "clean"] == states(lab)
    lab.until(lambda: lab.row.state is LeaseState.CLEAN)
    row = lab.row
    assert End.DURATION is row.ended
    assert 0.6 <= row.reverted_at - row.injected_at < 0.9
    assert row.widest_gap < 0.5


def test_no_guard_no_fault(lab):
    lab.arm()
    time.sleep(1.2)
    assert LeaseState.ARMED is lab.state
    assert [] == lab.calls


def test_a_counter_that_rose_before_the_keeper_looked_is_no_renewal(lab):
    """It must be seen to rise between two reads of the keeper's own."""
    lab.arm()
    time.sleep(0.3)
    lab.ports.leases.renew([])
    time.sleep(0.3)
    assert LeaseState.ARMED is lab.state


def test_a_revocation_ends_the_fault_at_once(lab):
    lab.activate()
    revoke(lab)
    assert lab.until_clean() < 0.5
    lab.until(lambda: lab.row.state is LeaseState.CLEAN)
    assert (End.REVOKED, "breach: p95 is 700ms") == (lab.row.ended, lab.row.detail)


def test_a_silent_guard_ends_the_fault_within_the_lease(lab):
    lab.activate()
    lab.guard.end()
    assert lab.until_clean() < IN_LEASE
    assert End.SILENCE == lab.lines[-2].facts["ended"]


def test_sigterm_makes_the_keeper_revert(lab):
    lab.activate()
    lab.kill(lab.pids[0], number=signal.SIGTERM)
    assert lab.until_clean() < 0.5
    assert End.SIGNAL == lab.lines[-2].facts["ended"]


def test_the_parent_reverts_when_the_child_is_killed(lab):
    lab.activate()
    lab.kill(lab.pids[1])
    assert lab.until_clean() < 0.5
    assert End.CHILD_DIED == lab.lines[-2].facts["ended"]


def test_the_child_reverts_when_the_parent_is_killed(lab):
    lab.activate()
    lab.kill(lab.pids[0])
    assert lab.until_clean() < IN_LEASE
    assert End.PARENT_DIED == lab.lines[-2].facts["ended"]
    lab.until(lambda: lab.row.state is LeaseState.CLEAN)


def test_revert_adopts_what_both_left(lab):
    lab.activate()
    lab.kill(*lab.pids)
    assert lab.is_hit
    revert(lab.ports, lab.lease.id)
    assert not lab.is_hit
    assert (LeaseState.CLEAN, End.ADOPTED) == (lab.row.state, lab.row.ended)


def test_the_janitor_adopts_what_both_left_though_the_row_is_gone(lab):
    lab.activate()
    lab.kill(*lab.pids)
    lab.guard.end()
    lab.ports.leases.close()
    lab.ports.settings.live.unlink()
    assert [f"lease {lab.lease.id}: clean"] == sweep(lab.ports)
    assert not lab.is_hit
    assert [] == sweep(lab.ports)


def test_revert_waits_for_a_frozen_keeper_no_longer_than_its_lease(lab):
    lab.activate(duration=2.0)
    lab.kill(*lab.pids, number=signal.SIGSTOP)
    began = time.monotonic()
    revert(lab.ports, lab.lease.id)
    assert not lab.is_hit
    assert time.monotonic() - began < lab.lease.lease_seconds + 4.0


def test_the_janitor_ends_what_a_frozen_keeper_holds(lab):
    """Airflow is gone, and nobody has revoked the lease."""
    lab.activate(duration=2.0)
    lab.kill(*lab.pids, number=signal.SIGSTOP)
    lab.guard.end()
    began = time.monotonic()
    assert [f"lease {lab.lease.id}: clean"] == sweep(lab.ports)
    assert not lab.is_hit
    assert time.monotonic() - began < lab.lease.lease_seconds + 7.0


@pytest.mark.parametrize("who", [(0,), (1,), (0, 1)], ids=["parent", "child", "both"])
@pytest.mark.parametrize("when", ["armed", "injecting", "active", "reverting"])
def test_whoever_is_killed_whenever_nothing_is_left(lab, who, when):
    slow = {"armed": {}, "injecting": {"before": 0.6}, "active": {}, "reverting": {"revert": 0.6}}
    lab.arm(**slow[when])
    pids = lab.pids
    if when != "armed":
        lab.guard.start()
        lab.until(lambda: states(lab)[-1] == ("active" if when == "reverting" else when))
    if when == "reverting":
        revoke(lab)
        lab.until(lambda: lab.state is LeaseState.REVERTING)
        lab.until(lambda: lab.calls[-1] == "revert")
        who = (0,)  # its child is dead already
    lab.kill(*(pids[i] for i in who))
    revert(lab.ports, lab.lease.id)
    assert not lab.is_hit
    assert LeaseState.CLEAN is lab.state
    time.sleep(0.7)  # an injection that was under way may not act any more
    assert not lab.is_hit
    assert LeaseState.CLEAN is lab.row.state


def test_an_injection_under_way_cannot_act_after_the_revert(lab):
    """N3: the child is killed, and waited for, before the parent reverts."""
    lab.arm(before=0.8)
    lab.guard.start()
    lab.until(lambda: "inject" in lab.calls)
    revoke(lab)
    lab.until(lambda: lab.state is LeaseState.CLEAN)
    time.sleep(1.0)
    assert "injected" not in lab.calls
    assert not lab.is_hit


def test_an_injection_under_way_cannot_act_after_its_parent_was_killed(lab):
    lab.arm(before=0.8)
    lab.guard.start()
    lab.until(lambda: "inject" in lab.calls)
    lab.kill(lab.pids[0])
    lab.until(lambda: lab.state is LeaseState.CLEAN)
    time.sleep(1.0)
    assert "injected" not in lab.calls
    assert not lab.is_hit


def test_a_refused_injection_is_reverted(lab):
    lab.arm(refuse=True)
    lab.guard.start()
    lab.until(lambda: lab.state is LeaseState.CLEAN)
    assert ["inject", "revert", "reverted"] == lab.calls
    assert End.FAILED == lab.lines[-2].facts["ended"]


def test_a_stopped_parent_is_outlived_by_its_child(lab):
    """SIGSTOP of the parent alone: the child sees its silence, kills it and reverts."""
    lab.activate()
    lab.kill(lab.pids[0], number=signal.SIGSTOP)
    assert lab.until_clean(5.0) < IN_LEASE + 0.5
    assert End.PARENT_DIED == lab.lines[-2].facts["ended"]


def test_a_keeper_stopped_for_longer_than_the_lease_reverts_on_waking(lab):
    lab.activate()
    parent, child = lab.pids
    lab.kill(child, parent, number=signal.SIGSTOP)
    time.sleep(1.5)
    lab.kill(parent, child, number=signal.SIGCONT)
    assert lab.until_clean() < 0.5
    assert End.SILENCE == lab.lines[-2].facts["ended"]


def test_an_armed_keeper_stopped_for_longer_than_the_lease_never_injects(lab):
    lab.arm(delay=0.5)
    lab.guard.start()
    time.sleep(0.3)
    parent, child = lab.pids
    lab.kill(child, parent, number=signal.SIGSTOP)
    time.sleep(1.5)
    lab.kill(parent, child, number=signal.SIGCONT)
    lab.until(lambda: lab.state is LeaseState.CLEAN)
    assert [] == lab.calls


def test_a_stopped_child_does_not_hold_up_the_revert(lab):
    lab.activate()
    lab.kill(lab.pids[1], number=signal.SIGSTOP)
    revoke(lab)
    assert lab.until_clean() < 0.5


def test_a_store_that_goes_away_ends_the_fault_within_the_lease(lab):
    lab.activate()
    away = lab.ports.settings.live.with_name("away")
    lab.ports.leases.close()
    away.mkdir()
    for name in ("live.db", "live.db-wal", "live.db-shm"):
        if (path := lab.home / name).exists():
            path.rename(away / name)
    assert lab.until_clean() < IN_LEASE
    for path in away.iterdir():
        path.rename(lab.home / path.name)
    lab.until(lambda: lab.row.state is LeaseState.CLEAN)


def test_a_store_that_turns_to_rubbish_ends_the_fault_within_the_lease(lab):
    lab.activate()
    lab.ports.leases.close()
    for name in ("live.db-wal", "live.db"):
        (lab.home / name).write_bytes(b"not a database" * 400)
    assert lab.until_clean() < IN_LEASE


def test_a_locked_store_does_not_delay_the_revert(lab):
    """With the write lock held for long, no renewal gets through: silence, then the revert."""
    lab.activate()
    other = sqlite3.connect(lab.ports.settings.live, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert lab.until_clean() < IN_LEASE
    other.execute("ROLLBACK")
    other.close()
    lab.until(lambda: lab.row.state is LeaseState.CLEAN)


def test_stop_works_with_a_locked_store(lab):
    """S5: the signal and the stops file need no store."""
    lab.activate()
    other = sqlite3.connect(lab.ports.settings.live, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    ended = stop(lab.ports, "alice", "enough", hold="until Monday")
    took = time.monotonic() - began
    other.execute("ROLLBACK")
    other.close()
    assert {lab.lease.id: LeaseState.CLEAN} == ended
    assert not lab.is_hit
    assert took < IN_LEASE + 1.0  # the one second that it waits for the store
    assert "until Monday" == lab.ports.leases.environment("lab").hold


def test_stop_ends_an_armed_keeper_too(lab):
    lab.arm()
    assert {lab.lease.id: LeaseState.CLEAN} == stop(lab.ports, "alice", "enough")
    assert [] == lab.calls


def test_a_keeper_started_twice_holds_one_fault(lab):
    lab.arm()
    lab.ports.keepers.start(lab.lease.id)
    lab.guard.start()
    lab.until(lambda: lab.state is LeaseState.ACTIVE)
    time.sleep(0.3)
    assert 1 == lab.calls.count("inject")


def test_a_journal_of_another_boot_is_adopted_without_killing_anyone(lab):
    """The host restarted: pids of the old boot mean nothing."""
    lab.activate()
    parent, child = lab.pids
    lab.kill(parent, child)
    path = lab.ports.settings.journals / f"{lab.lease.id}.pid"
    path.write_text(f"{lab.target.pid} 1 other-boot\n")
    revert(lab.ports, lab.lease.id)
    assert LeaseState.CLEAN is lab.state
    assert lab.target.poll() is None


def test_residue_is_the_worst_outcome(lab, monkeypatch):
    lab.activate()
    lab.kill(*lab.pids)
    monkeypatch.setattr(type(lab.driver), "revert", lambda self, recipe: None)
    monkeypatch.setattr("holdfast.steps.mend.LIMITS", {lab.driver.effect: Limits(1, 1, 0.1, 0.3)})
    with pytest.raises(ResidueError, match="the process is stopped"):
        revert(lab.ports, lab.lease.id)
    assert LeaseState.UNCLEAN is lab.row.state
    assert ["residue"] == [n.kind for n in lab.ports.notifier.told]
    monkeypatch.undo()
    assert [f"lease {lab.lease.id}: clean"] == sweep(lab.ports)


def test_what_a_keeper_leaves_is_for_its_owner_only(lab):
    lab.arm()
    folder = lab.ports.settings.journals
    assert 0o700 == folder.stat().st_mode & 0o777
    assert {0o600} == {Path(p).stat().st_mode & 0o777 for p in folder.iterdir()}
    assert 0o600 == lab.ports.settings.live.stat().st_mode & 0o777
