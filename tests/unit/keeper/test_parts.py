"""The keeper's parts between its decisions and the world: store, journal, child, loop."""

import os
import signal
import socket
import threading
from functools import partial
from types import SimpleNamespace

import pytest

from holdfast.clock import SystemClock
from holdfast.errors import FaultError
from holdfast.keeper.child import Child, attend
from holdfast.keeper.machine import Machine, Reading, Terms
from holdfast.keeper.mirror import Mirror
from holdfast.keeper.parent import Parent
from holdfast.model.lease import LeaseState, Reason, Renewal, Revocation
from holdfast.steps.mend import Mended
from holdfast.steps.scribe import Scribe
from holdfast.steps.stops import write_stop
from support.keeping import FakeClock, FlakyLeases
from support.leases import a_lease
from support.ports import START

LATE = "the child was told too late; nothing was injected"
CLEAN = Mended(LeaseState.CLEAN, "", 1.0, 2.0)


@pytest.fixture
def store(tmp_path):
    made = FlakyLeases(tmp_path / "live.db")
    made.open(a_lease(opened_at=START.isoformat()))
    made.move("lease-1", LeaseState.ARMED)
    yield made
    made.close()


@pytest.fixture
def mirror(store, tmp_path):
    lease = a_lease(opened_at=START.isoformat())
    return Mirror(store, lease, tmp_path / "stops.jsonl", FakeClock())


def test_the_mirror_reads_the_counter(mirror, store):
    store.renew([Renewal("lease-1")])
    mirror.look()
    assert Reading(1000.0, 1) == mirror.latest


def test_a_store_that_is_away_gives_no_reading(mirror, store, capsys):
    store.down = True
    mirror.look()
    mirror.look()
    assert mirror.latest is None
    assert 1 == capsys.readouterr().err.count("does not answer")


def test_a_row_that_is_gone_gives_no_reading(mirror, store):
    mirror._lease = a_lease(id="gone")
    mirror.look()
    assert mirror.latest is None


def test_a_revocation_is_read_with_its_reason(mirror, store):
    store.revoke("lease-1", Revocation(Reason.BREACH, "p95 is 700ms", "guard", ""))
    mirror.look()
    assert "breach: p95 is 700ms" == mirror.latest.revoked


def test_a_row_that_somebody_closed_speaks_against_the_fault(mirror, store):
    store.move("lease-1", LeaseState.CLEAN)
    mirror.look()
    assert "the store says the lease is clean" == mirror.latest.revoked


@pytest.mark.parametrize("down", [False, True])
def test_a_stop_is_seen_with_and_without_the_store(mirror, store, tmp_path, down):
    store.down = down
    write_stop(tmp_path / "stops.jsonl", "alice", "enough", START.isoformat(), None)
    mirror.look()
    assert "stopped by alice: enough" == mirror.latest.revoked


def test_the_store_is_asked_once_whether_the_fault_may_begin(mirror, store):
    mirror.look()
    assert mirror.begun is None
    mirror.ask()
    mirror.look()
    mirror.look()
    assert ("", LeaseState.INJECTING) == (mirror.begun, store.read("lease-1").state)


def test_what_could_not_be_shown_is_shown_later_with_all_facts(mirror, store):
    store.down = True
    mirror.show(LeaseState.ACTIVE, injected_at=3.0)
    mirror.look()
    mirror.show(LeaseState.REVERTING, detail="enough")
    assert not mirror.is_shown()
    store.down = False
    mirror.look()
    row = store.read("lease-1")
    assert (LeaseState.REVERTING, 3.0, "enough") == (row.state, row.injected_at, row.detail)
    assert mirror.is_shown()


def test_the_keeper_gives_signs_of_life(mirror, store):
    mirror.look()
    mirror.look()
    assert 1 == store.read("lease-1").beat
    mirror._clock.passed += 0.5
    mirror.look()
    assert 2 == store.read("lease-1").beat


class FailingJournal:
    def __init__(self, error=None, gate=None):
        self.error, self.gate, self.written = error, gate, []

    def write(self, state, **facts):
        if self.gate:
            self.gate.wait(5)
        if self.error:
            raise self.error
        self.written.append(state)


def scribe(journal):
    made = Scribe(journal)
    made.start()
    return made


def test_the_scribe_says_when_a_line_is_on_disk():
    journal = FailingJournal()
    assert scribe(journal).write(LeaseState.ARMED, 5.0)
    assert [LeaseState.ARMED] == journal.written


def test_a_journal_that_fails_is_said(capsys):
    assert not scribe(FailingJournal(OSError("no space left"))).write(LeaseState.ARMED, 5.0)
    assert "no space left" in capsys.readouterr().err


def test_a_disk_that_hangs_is_waited_for_only_so_long():
    gate = threading.Event()
    assert not scribe(FailingJournal(gate=gate)).write(LeaseState.ARMED, 0.01)
    gate.set()


class World:
    """What a parent looks at and does, written down."""

    def __init__(self, machine_at=0.0, writes=True):
        self.clock = FakeClock()
        self.deeds = []
        self.writes = writes
        self.latest, self.begun = None, None
        self.child = SimpleNamespace(
            alive=True, injected=None, injected_at=None, beat=lambda: None,
            inject=lambda at: self.deeds.append("inject"),
            kill=lambda: self.deeds.append("kill child"),
        )
        machine = Machine(Terms(5.0, 8.0), 1000.0)
        self.parent = Parent(machine, (self, self, self.child), self._mend, self.clock)

    def ask(self):
        self.deeds.append("ask")
        self.begun = ""

    def show(self, state, **facts):
        self.deeds.append(f"show {state}")

    def write(self, state, wait, **facts):
        self.deeds.append(f"write {state}")
        self.clock.passed += 0.0 if self.writes is True else self.writes
        return self.writes is not False

    def tick(self, counter):
        self.clock.passed += 0.1
        self.latest = Reading(self.clock.boottime(), counter)
        return self.parent.tick()

    def to_injection(self):
        return [self.tick(counter) for counter in (0, 1, 2)]

    def _mend(self):
        self.deeds.append("mend")
        return CLEAN


def test_the_journal_comes_before_the_deed_and_the_child_goes_before_the_revert():
    world = World()
    world.to_injection()
    world.child.injected = ""
    world.tick(3)
    world.parent.signalled = True
    assert not world.tick(4)
    assert [
        "ask", "write injecting", "inject", "write active", "show active",
        "write reverting", "show reverting", "kill child", "mend", "write clean", "show clean",
    ] == world.deeds


def test_the_child_is_told_how_old_the_renewal_is():
    """N5: parent and child together allow it less than a second."""
    world, told = World(writes=0.4), []
    world.child.inject = told.append
    world.to_injection()
    assert [world.latest.at] == told
    assert world.clock.boottime() > world.latest.at


@pytest.mark.parametrize("writes", [False, 1.5], ids=["journal-fails", "journal-takes-too-long"])
def test_without_its_line_on_disk_in_time_nothing_is_injected(writes):
    world = World()
    world.writes = writes
    assert [True, True, False] == world.to_injection()
    assert "inject" not in world.deeds
    assert "mend" in world.deeds


def test_an_untouched_target_is_not_reverted():
    world = World()
    world.tick(0)
    world.parent.signalled = True
    world.tick(0)
    assert ["kill child", "write clean", "show clean"] == world.deeds


def childs(inject, patience=1.0):
    """A child that is a thread, and the parent's end of its line."""
    ours, theirs = socket.socketpair()
    run = partial(attend, theirs, inject, patience, SystemClock())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return Child(0, ours), ours, theirs, thread


def heard(child):
    for _ in range(100):
        child.wait(0.05)
        if child.injected is not None:
            return child.injected
    return None


def refuse():
    raise FaultError("connection refused")


@pytest.mark.parametrize(("inject", "at", "said"), [
    pytest.param(lambda: None, 0.0, "", id="injected"),
    pytest.param(refuse, 0.0, "connection refused", id="refused"),
    pytest.param(lambda: {}["x"], 0.0, "KeyError: 'x'", id="a-bug-in-the-driver"),
    pytest.param(lambda: None, -1.5, LATE, id="late"),
])
def test_the_child_reports(inject, at, said):
    child, ours, theirs, thread = childs(inject)
    child.beat()
    child.inject(SystemClock().boottime() + at)
    child.beat()
    assert said == heard(child)
    ours.close()
    thread.join(5)
    theirs.close()


def test_a_child_whose_parent_is_silent_does_not_wait_for_ever():
    _, ours, theirs, thread = childs(lambda: None, patience=0.3)
    thread.join(5)
    assert not thread.is_alive()
    ours.close()
    theirs.close()


def test_the_parent_sees_the_end_of_its_child_and_talks_to_nobody():
    child, ours, theirs, thread = childs(lambda: None, patience=0.01)
    thread.join(5)
    theirs.close()
    child.wait(1.0)
    child.beat()
    child.kill()
    child.wait(0.0)
    assert not child.alive
    ours.close()


def test_killing_the_child_takes_its_group_along():
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        signal.pause()
        os._exit(0)
    child = Child(pid, ours)
    child.kill()
    child.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    ours.close()
    theirs.close()
