"""`python -m holdfast.keeper --home HOME LEASE`: hold one fault, whatever happens around it."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType

from holdfast.clients.host import boot_id, start_time
from holdfast.clock import Clock, SystemClock
from holdfast.errors import HoldfastError
from holdfast.keeper.child import Child, attend
from holdfast.keeper.machine import Machine, Terms
from holdfast.keeper.mirror import Mirror
from holdfast.keeper.parent import Parent, say
from holdfast.model.fault import Recipe
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.faults import FaultDriver
from holdfast.ports.leases import Journal, StoreDown
from holdfast.registry import Registry
from holdfast.settings import Settings
from holdfast.steps.mend import mend
from holdfast.steps.scribe import Scribe
from holdfast.stores.journal import FileJournals
from holdfast.stores.places import leases_of

CLAIM_SECONDS = 10.0
BUSY_SECONDS = 0.05
TICK_SECONDS = 0.05
SHOWN_SECONDS = 10.0
PATIENCE_SECONDS = 0.5
"""By how much the child's patience with a silent parent is longer than the lease."""


def main(arguments: Sequence[str]) -> int:
    """Leave the caller behind, then keep."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.keeper", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--store", default="", help="connection of the shared store")
    parser.add_argument("--stay", action="store_true", help="do not leave the caller")
    parser.add_argument("--orphan", help="pid:start of the parent that is gone (used by itself)")
    parser.add_argument("lease")
    given = parser.parse_args(arguments)
    settings = Settings(given.home, given.home / "experiments", store=given.store)
    keeper = Keeper(settings, given.lease)
    if given.orphan:
        return keeper.orphaned(*map(int, given.orphan.split(":")))
    if not given.stay and os.fork():
        os._exit(0)
    try:
        return keeper.keep()
    except (HoldfastError, KeyError, OSError) as error:
        say(f"not kept: {error!r}")
        return 1


class Keeper:
    """The two processes around one lease."""

    def __init__(self, settings: Settings, lease_id: str) -> None:
        self._settings, self._id = settings, lease_id
        self._clock: Clock = SystemClock()
        self._journals = FileJournals(settings.journals, self._clock)
        self._drivers: Mapping[str, FaultDriver] = Registry("faults", "DRIVER")
        self._store = leases_of(settings, busy_seconds=BUSY_SECONDS, create=False)
        self._stop_told = False

    def keep(self) -> int:
        """Claim the lease, hold its fault, revert it. Nothing if it is not ours to claim."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        journal = self._journals.open(self._id)
        with self._journals.claim(self._id) as ours:
            if not ours or journal.lines()[-1].state is not LeaseState.OPENED:
                say("somebody else has this lease, or had it")
                return 0
            self._write_down()
            lease, recipe = journal.lease(), journal.recipe()
            driver = self._drivers[recipe.fault_type]
            if not self._arm():
                say("the store did not let us arm")
                return 0
            journal.write(LeaseState.ARMED)
            child = self._fork(lease, driver, recipe)
            self._hold(lease, journal, child, driver, recipe)
        return 0

    def orphaned(self, parent: int, started: int) -> int:
        """Go on as the child whose parent is gone."""
        from holdfast.keeper.orphan import finish
        from holdfast.steps.adopt import Estate

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it is reverting already
        estate = Estate(self._store, self._journals, self._drivers, self._clock)
        finish(estate, self._id, (parent, started))
        return 0

    def _arm(self) -> bool:
        """Claim the row by compare-and-set; nothing hurries yet, so a busy store is asked again."""
        until = self._clock.boottime() + CLAIM_SECONDS
        while not self._stop_told:
            try:
                return self._store.move(self._id, LeaseState.ARMED)
            except StoreDown as error:
                if self._clock.boottime() >= until:
                    say(f"not armed: {error}")
                    return False
                self._clock.sleep(BUSY_SECONDS)
        return False

    def _fork(self, lease: Lease, driver: FaultDriver, recipe: Recipe) -> Child:
        """Make the child before any thread is there."""
        ours, theirs = socket.socketpair()
        parent = (os.getpid(), start_time(os.getpid()) or 0)
        self._store.close()
        pid = os.fork()
        if pid:
            theirs.close()
            return Child(pid, ours)
        try:
            ours.close()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _ignore)  # the parent decides; SIG_IGN would be inherited
            os.setpgid(0, 0)
            self._write_down()
            patience = lease.lease_seconds + PATIENCE_SECONDS
            attend(theirs, partial(driver.inject, recipe), patience, self._clock)
            self._become_orphan(parent)
        finally:
            os._exit(1)

    def _become_orphan(self, parent: tuple[int, int]) -> None:
        """Start afresh in this process: an injection that still hangs in a thread ends here."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            os.execv(sys.executable, [  # noqa: S606 - this very program
                sys.executable, "-P", "-m", "holdfast.keeper", "--home", str(self._settings.home),
                "--store", self._settings.store, "--orphan", f"{parent[0]}:{parent[1]}", self._id,
            ])
        except OSError as error:
            say(f"reverting in the old process: {error}")
            self.orphaned(*parent)

    def _hold(
        self, lease: Lease, journal: Journal, child: Child, driver: FaultDriver, recipe: Recipe
    ) -> None:
        terms = Terms(lease.lease_seconds, lease.duration_seconds, lease.delay_seconds)
        mirror = Mirror(self._store, lease, self._settings.stops, self._clock)
        scribe = Scribe(journal)
        scribe.start()
        mirror.start()
        machine = Machine(terms, self._clock.boottime())
        parts = (mirror, scribe, child)
        parent = Parent(machine, parts, partial(mend, driver, recipe, self._clock), self._clock)
        while parent.tick():
            child.wait(TICK_SECONDS)
            parent.signalled = self._stop_told
        until = self._clock.boottime() + SHOWN_SECONDS
        while not mirror.is_shown() and self._clock.boottime() < until:
            self._clock.sleep(BUSY_SECONDS)

    def _write_down(self) -> None:
        """Leave this process's identity where `LocalKeepers` looks for it."""
        line = f"{os.getpid()} {start_time(os.getpid())} {boot_id()}\n"
        path = self._settings.journals / f"{self._id}.pid"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_told = True


def _ignore(_number: int, _frame: FrameType | None) -> None:
    return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
