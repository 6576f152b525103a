"""Neither a locked store nor a disk that hangs stands before a revert (S5)."""

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from holdfast.clock import SystemClock
from holdfast.model.lease import End, LeaseState
from holdfast.steps.adopt import Estate, adopt
from holdfast.steps.mend import mend
from holdfast.steps.revert import revert
from holdfast.steps.scribe import Scribe
from support.keeping import TrickyDriver
from support.leases import a_fault, a_lease, file_ports


class TimedDriver(TrickyDriver):
    """Remembers when the first revert began."""

    begun: float | None = None

    def revert(self, recipe):
        self.begun = self.begun or time.monotonic()
        super().revert(recipe)


@pytest.fixture
def ports(tmp_path):
    """A fault that is on, whose keeper is gone; the store waits 5 s for a lock, as it does."""
    driver = TimedDriver()
    made = file_ports(tmp_path, drivers={"noop": driver})
    lease, fault = made.leases.open(a_lease()), a_fault(tmp_path)
    journal = made.journals.create(lease, fault, driver.arm(fault, lease.id))
    for state in (LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE):
        journal.write(state)
        made.leases.move(lease.id, state)
    driver.marks.add(lease.id)
    yield made
    made.leases.close()


@pytest.fixture
def locked(ports):
    with closing(sqlite3.connect(ports.settings.live, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield ports


def test_a_locked_store_does_not_hold_up_a_take_over(locked, monkeypatch):
    monkeypatch.setattr("holdfast.steps.adopt._MIRROR_SECONDS", 0.0)
    began = time.monotonic()
    revert(locked, "lease-1")
    assert locked.drivers["noop"].begun - began < 1.5
    assert LeaseState.CLEAN is locked.journals.open("lease-1").lines()[-1].state


class HangingJournal:
    """A journal on a disk that does not answer until `back`."""

    def __init__(self, journal):
        self.journal, self.back = journal, threading.Event()

    def __getattr__(self, name):
        return getattr(self.journal, name)

    def write(self, state, **facts):
        self.back.wait(20)
        self.journal.write(state, **facts)


class Journals:
    def __init__(self, journal):
        self.journal = journal

    def open(self, lease_id):
        return self.journal


def test_a_disk_that_hangs_does_not_hold_up_a_take_over(ports):
    journal = HangingJournal(ports.journals.open("lease-1"))
    driver = ports.drivers["noop"]
    estate = Estate(ports.leases, Journals(journal), ports.drivers, SystemClock())
    began = time.monotonic()
    child = threading.Thread(target=adopt, args=(estate, "lease-1", End.PARENT_DIED, "the child"))
    child.start()
    while driver.begun is None and time.monotonic() - began < 5:
        threading.Event().wait(0.02)
    journal.back.set()
    child.join()
    assert driver.begun - began < 1.5
    states = [line.state for line in journal.lines()]
    assert [LeaseState.REVERTING, LeaseState.CLEAN] == states[-2:]


def test_a_scribe_that_gets_no_thread_writes_all_the_same(ports, monkeypatch, capsys):
    def no_thread(_self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    scribe = Scribe(ports.journals.open("lease-1"))
    scribe.start()
    assert scribe.write(LeaseState.REVERTING, 0.0)
    assert "can't start new thread" in capsys.readouterr().err


def test_a_scribe_ends_with_what_it_was_given(ports):
    before = threading.active_count()
    scribe = Scribe(ports.journals.open("lease-1"))
    scribe.start()
    assert scribe.write(LeaseState.REVERTING, 5.0)
    scribe.end()
    while threading.active_count() > before:
        threading.Event().wait(0.01)


def test_a_revert_that_gets_no_thread_at_first_is_tried_again(ports, monkeypatch):
    """The limit of processes is reached while the fault is on."""
    driver, refused = ports.drivers["noop"], []
    really = threading.Thread.start

    def start(thread):
        if thread.name == "revert" and len(refused) < 2:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        really(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    recipe = ports.journals.open("lease-1").recipe()
    assert LeaseState.CLEAN is mend(driver, recipe, SystemClock()).state
    assert (2, set()) == (len(refused), driver.marks)
