"""The store of leases, on files and on a server: the same laws (S3 S5)."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from holdfast.errors import HoldfastError, Postponed
from holdfast.model.lease import MOVES, End, LeaseState, Reason, Renewal, Revocation
from holdfast.ports.leases import StoreDown
from holdfast.stores.places import leases_of
from support.leases import armed, opened

BREACH = Revocation(Reason.BREACH, "p95 is 700ms", "guard", "2026-01-01", {"p95": 0.7}, 12.5)
STOP = Revocation(Reason.STOPPED, "enough", "alice", "2026-01-01")


@pytest.fixture
def store(settings):
    made = leases_of(settings, busy_seconds=2.0)
    yield made
    made.close()


def at(store, state, **changes):
    """A lease brought to the state by the shortest way."""
    ways = {
        LeaseState.OPENED: (), LeaseState.ARMED: ("armed",), LeaseState.CLEAN: ("clean",),
        LeaseState.INJECTING: ("armed", "injecting"),
        LeaseState.ACTIVE: ("armed", "injecting", "active"),
        LeaseState.REVERTING: ("armed", "injecting", "reverting"),
        LeaseState.UNCLEAN: ("armed", "injecting", "reverting", "unclean"),
        LeaseState.UNPROVEN: ("armed", "injecting", "reverting", "unproven"),
    }
    lease = opened(store, **changes)
    for step in ways[state]:
        assert store.move(lease.id, LeaseState(step))
    return lease


def test_a_lease_comes_back_as_it_was_opened(store):
    assert opened(store) == store.read("lease-1")


def test_there_is_no_lease_that_nobody_opened(store):
    with pytest.raises(KeyError):
        store.read("nobody")


def test_a_lease_is_never_reopened(store):
    opened(store)
    with pytest.raises(StoreDown, match=r"UNIQUE|unique"):
        opened(store)


def test_the_lease_gets_the_epoch_of_now(store):
    opened(store)
    store.stop(STOP)
    assert 1 == opened(store, id="lease-2").epoch


@pytest.mark.parametrize("before", LeaseState)
@pytest.mark.parametrize("after", LeaseState)
def test_a_lease_moves_along_the_moves_only(store, before, after):
    lease = at(store, before)
    assert (after in MOVES[before]) == store.move(lease.id, after)


def test_facts_are_set_with_the_move(store):
    armed(store)
    store.move("lease-1", LeaseState.CLEAN, ended=End.EXPIRED, detail="late", clean_at=2.5)
    row = store.read("lease-1")
    assert (End.EXPIRED, "late", 2.5) == (row.ended, row.detail, row.clean_at)


def test_a_move_cannot_set_anything_else(store):
    armed(store)
    with pytest.raises(TypeError, match="counter"):
        store.move("lease-1", LeaseState.CLEAN, counter=9)


def test_renewals_raise_counters_and_keep_the_guards_memory(store):
    armed(store)
    row = store.renew([Renewal("lease-1", {"errors": 3.5})])["lease-1"]
    assert (1, {"errors": 3.5}) == (row.counter, row.breach_since)


def test_a_revoked_lease_is_renewed_no_more(store):
    armed(store)
    store.revoke("lease-1", BREACH)
    row = store.renew([Renewal("lease-1")])["lease-1"]
    assert (0, BREACH) == (row.counter, row.revoked)


def test_renewals_of_unknown_leases_are_left_out(store):
    assert {} == store.renew([Renewal("nobody")])


def test_a_revocation_is_final(store):
    armed(store)
    assert store.revoke("lease-1", BREACH)
    assert not store.revoke("lease-1", STOP)
    assert BREACH == store.read("lease-1").revoked


def test_a_revocation_takes_the_round_with_it_and_nothing_else(store):
    armed(store)
    armed(store, id="mate", experiment="other")
    armed(store, id="next", round=1)
    at(store, LeaseState.CLEAN, id="done", experiment="done")
    store.revoke("lease-1", BREACH)
    reasons = {x.id: x.revoked.reason if x.revoked else None for x in store.leases()}
    expected = {"lease-1": Reason.BREACH, "mate": Reason.ROUND, "next": None, "done": None}
    assert expected == reasons


def test_a_clean_lease_cannot_be_revoked(store):
    at(store, LeaseState.CLEAN)
    armed(store, id="mate", experiment="other")
    assert not store.revoke("lease-1", BREACH)
    assert store.read("mate").revoked is None


def test_an_armed_lease_may_begin(store):
    armed(store)
    assert "" == store.begin_injection("lease-1")
    assert LeaseState.INJECTING is store.read("lease-1").state


def test_it_begins_once(store):
    armed(store)
    store.begin_injection("lease-1")
    assert "the lease is injecting, not armed" == store.begin_injection("lease-1")


@pytest.mark.parametrize(("against", "why"), [
    pytest.param(lambda s: s.revoke("lease-1", BREACH), "revoked (breach)", id="revoked"),
    pytest.param(lambda s: s.stop(STOP), "revoked (stopped)", id="stopped"),
    pytest.param(lambda s: s.move("lease-1", LeaseState.CLEAN), "is clean", id="closed"),
])
def test_a_lease_does_not_begin_against(store, against, why):
    armed(store)
    against(store)
    assert why in store.begin_injection("lease-1")


def test_a_lease_of_an_older_epoch_does_not_begin(store, tamper):
    """S5: a stop between `arm` and the injection, though nobody revoked this row."""
    armed(store)
    tamper("UPDATE environments SET epoch = 7")
    assert "stopped since" in store.begin_injection("lease-1")


def test_nothing_begins_while_held(store, settings):
    armed(store)
    settings.hold.write_text("audit\n")
    assert "environment lab is held: audit" == store.begin_injection("lease-1")


def test_a_lease_that_is_not_there_does_not_begin(store):
    assert "the lease is not in the store" == store.begin_injection("nobody")


@pytest.mark.parametrize("reason", [Reason.BREACH, Reason.STOPPED, Reason.WITHDRAWN])
def test_nothing_begins_in_a_round_that_was_aborted_before(store, reason):
    """A revocation ends the round, also for those that arm after it."""
    armed(store)
    store.revoke("lease-1", replace(BREACH, reason=reason))
    armed(store, id="late", experiment="other")
    told = f"the round was aborted: experiment was revoked ({reason})"
    assert told == store.begin_injection("late")


def test_a_second_try_of_the_aborted_experiment_may_begin(store):
    armed(store)
    store.revoke("lease-1", BREACH)
    armed(store, id="again")
    armed(store, id="mate", experiment="other")
    assert ["", ""] == [store.begin_injection(i) for i in ("again", "mate")]


def test_beats_are_counted(store):
    armed(store)
    store.beat("lease-1")
    assert 1 == store.read("lease-1").beat


def test_an_environment_is_for_one_run(store):
    store.lock("lab", "run-1")
    store.lock("lab", "run-1")
    with pytest.raises(Postponed, match="run run-1 has it"):
        store.lock("lab", "run-2")
    with pytest.raises(Postponed, match="run run-1 has it"):
        opened(store, run_id="run-2")


def test_the_lock_is_given_back_only_when_all_is_clean(store):
    store.lock("lab", "suite--run")
    armed(store)
    assert not store.unlock("lab", "suite--run")
    store.move("lease-1", LeaseState.CLEAN)
    assert store.unlock("lab", "suite--run")
    assert "" == store.environment("lab").locked_by


def test_another_runs_lock_stays(store):
    store.lock("lab", "run-1")
    store.unlock("lab", "run-2")
    assert "run-1" == store.environment("lab").locked_by


def test_a_hold_refuses_locks_and_leases_until_it_is_released(store):
    store.lock("lab", "run-1")
    store.stop(STOP, hold="audit")
    for refused in (lambda: store.lock("lab", "run-1"), lambda: opened(store, run_id="run-1")):
        with pytest.raises(Postponed, match="held: audit"):
            refused()
    store.release("lab")
    assert "audit" == store.environment("lab").hold
    store.release("")
    opened(store, run_id="run-1")


def test_a_hold_of_all_holds_what_nobody_has_used_yet(store):
    """S5, on whatever machine it is used first: a hold lives in the store."""
    store.stop(STOP, hold="audit")
    for refused in (lambda: store.lock("lab", "run-1"), lambda: opened(store)):
        with pytest.raises(Postponed, match="held: audit"):
            refused()
    assert [] == store.environments()
    assert "audit" == store.environment("far").hold
    store.release("")
    assert ["", "", ""] == [store.environment(name).hold for name in ("lab", "far", "")]


def test_a_hold_of_one_run_holds_its_environment_alone(store):
    store.lock("lab", "run-1")
    store.stop(STOP, run_id="run-1", hold="audit")
    assert ["audit", ""] == [store.environment(name).hold for name in ("lab", "far")]
    store.release("lab")
    assert "" == store.environment("lab").hold


def test_the_hold_file_holds_every_environment_and_outlives_a_release_of_one(store, settings):
    opened(store)
    settings.hold.write_text("")
    store.release("lab")
    assert all(there.hold for there in store.environments())
    assert store.environment("never-used").hold


def test_stop_ends_everything(store):
    armed(store)
    armed(store, id="far", environment="far", run_id="other--run")
    at(store, LeaseState.CLEAN, id="done")
    assert ["lease-1", "far"] == store.stop(STOP)
    assert [1, 1] == [store.environment(name).epoch for name in ("lab", "far")]
    assert [STOP, STOP, None] == [x.revoked for x in store.leases()]


def test_stop_of_one_run_leaves_other_environments_alone(store):
    armed(store)
    armed(store, id="far", environment="far", run_id="other--run")
    assert ["lease-1"] == store.stop(STOP, run_id="suite--run")
    assert 0 == store.environment("far").epoch


def test_stop_of_a_run_between_rounds_raises_its_epoch(store):
    store.lock("lab", "suite--run")
    assert [] == store.stop(STOP, run_id="suite--run")
    assert 1 == store.environment("lab").epoch


def test_leases_are_found_by_run_and_environment(store):
    opened(store)
    opened(store, id="b", run_id="other--run")
    at(store, LeaseState.CLEAN, id="c", environment="far")
    assert ["lease-1", "b", "c"] == [x.id for x in store.leases()]
    assert ["lease-1"] == [x.id for x in store.leases(run_id="suite--run", open_only=True)]
    assert ["c"] == [x.id for x in store.leases(environment="far")]


def test_down_is_an_error_of_ours_and_of_the_system(store):
    assert issubclass(StoreDown, HoldfastError)
    assert issubclass(StoreDown, OSError)


def test_many_threads_lose_no_renewal(store):
    armed(store)

    def renew(_):
        store.renew([Renewal("lease-1")])
        store.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(renew, range(100)))
    assert 100 == store.read("lease-1").counter


BEGIN = """
import sys
from pathlib import Path
from holdfast.settings import Settings
from holdfast.stores.places import leases_of
home = Path(sys.argv[1])
print(leases_of(Settings(home, home, store=sys.argv[2])).begin_injection("lease-1"))
"""


def test_of_many_processes_one_begins(store, settings):
    armed(store)
    command = [sys.executable, "-c", BEGIN, str(settings.home), settings.store]
    crowd = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(one.communicate()[0].strip() for one in crowd)
    assert ["", *["the lease is injecting, not armed"] * 2] == said


def test_a_fork_uses_a_connection_of_its_own(store):
    armed(store)
    store.read("lease-1")
    pid = os.fork()
    if not pid:
        try:
            store.beat("lease-1")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    store.beat("lease-1")
    assert 2 == store.read("lease-1").beat


def test_a_fork_that_closes_leaves_its_parents_connection_alone(store):
    armed(store)
    pid = os.fork()
    if not pid:
        store.close()
        os._exit(0)
    os.waitpid(pid, 0)
    store.beat("lease-1")
    assert 1 == store.read("lease-1").beat


def test_each_thread_has_a_connection_of_its_own(store):
    armed(store)
    seen = []
    thread = threading.Thread(target=lambda: (seen.append(store.read("lease-1")), store.close()))
    thread.start()
    thread.join()
    assert ["lease-1"] == [x.id for x in seen]
