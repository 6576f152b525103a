"""One death: arm a real fault, let its keeper come to the moment, strike, and look what is left."""

import os
import signal
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from holdfast.clients.host import boot_id, host_name
from holdfast.conformance.away import gone, restore, snapshot
from holdfast.conformance.cells import Blow, Cell, Party
from holdfast.conformance.halting import has_halted
from holdfast.errors import EvidenceError, FaultError, HoldfastError
from holdfast.model.fault import Effect, Fault, Recipe
from holdfast.model.lease import MOVES, End, Lease, LeaseState, Reason, Renewal, Revocation
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import StoreDown
from holdfast.steps.janitor import sweep
from holdfast.steps.limit import within

LEASE_SECONDS = 1.0
HELD_SECONDS = 10.0
"""How long after the blow a held fault may still be there: lease, janitor's look and revert."""
REPAIR_SECONDS = 90.0
"""The same where the target repairs itself, and how long it may take to be ready again."""
_DURATION = 120.0
_ASLEEP = LEASE_SECONDS + 0.5
_MOMENT_SECONDS = 20.0
_PAUSE = 0.02
_ALONE_SECONDS = 0.5
_DRIVER_SECONDS = 10.0
_SEEN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one death went; `seconds` run from the blow to the journal's `clean`."""

    cell: Cell
    seconds: float | None = None
    ended: End | None = None
    problems: Sequence[str] = ()


@dataclass
class Trial:
    """One lease of its own, on a real target; use it once."""

    ports: Ports
    fault: Fault
    environment: str
    cell: Cell
    run_id: str = field(default_factory=lambda: f"conformance--{uuid.uuid4().hex[:12]}")
    problems: list[str] = field(default_factory=list)
    struck: float = 0.0
    lease: Lease = field(init=False)
    recipe: Recipe = field(init=False)
    guard: "Renewals" = field(init=False)

    def run(self) -> Outcome:
        """Go through with it. FaultError or Postponed if the target is not to be had."""
        self.ports.leases.lock(self.environment, self.run_id)
        try:
            self._arm()
            try:
                self._come_to_the_moment()
                self._strike()
                seconds = self._until_clean()
            finally:
                self._send(self._pids(), signal.SIGCONT)
                self.guard.end()
                self._close()
            return Outcome(self.cell, seconds, self._look_back(), tuple(self.problems))
        finally:
            if not self.ports.leases.unlock(self.environment, self.run_id):
                self.problems.append("the environment is still locked: its lease is not clean")

    @property
    def is_held(self) -> bool:
        """Whether the revert mends, or waits for the target's own repair."""
        return self.ports.drivers[self.fault.type].effect is Effect.HELD

    @property
    def state(self) -> LeaseState:
        """As the journal has it."""
        return self.ports.journals.open(self.lease.id).lines()[-1].state

    def _arm(self) -> None:
        self.lease = self.ports.leases.open(Lease(
            id=uuid.uuid4().hex, run_id=self.run_id, round=0, experiment="conformance",
            environment=self.environment, fault_type=self.fault.type, service=self.fault.service,
            host=host_name(), boot_id=boot_id(), epoch=0, lease_seconds=LEASE_SECONDS,
            duration_seconds=_DURATION, delay_seconds=0.0,
            opened_at=self.ports.clock.now().isoformat(),
        ))
        self.guard = Renewals(self.ports, self.lease.id)
        self.recipe = self._recipe()
        self.ports.journals.create(self.lease, self.fault, self.recipe)
        self.ports.keepers.start(self.lease.id)
        self._until(lambda: self.state is LeaseState.ARMED, "armed")
        self._until(lambda: len(self._pids()) == 2, "two processes")
        if self.cell.blow is Blow.OLDER:
            snapshot(self.ports.settings.live)

    def _recipe(self) -> Recipe:
        """Arm, as soon as what the trial before it hit is itself again."""
        driver = self.ports.drivers[self.fault.type]
        until = self.ports.clock.boottime() + REPAIR_SECONDS
        while True:
            try:
                arm = partial(driver.arm, self.fault, self.lease.id)
                return within(_DRIVER_SECONDS, arm, "arm")
            except FaultError:
                if self.ports.clock.boottime() >= until:
                    self.ports.leases.move(self.lease.id, LeaseState.CLEAN)
                    raise
            self.ports.clock.sleep(0.2)

    def _come_to_the_moment(self) -> None:
        cell = self.cell
        if cell.moment == "armed":
            return
        self.guard.start()
        if cell.ends_first:
            self._until(lambda: self.state is LeaseState.ACTIVE, "active")
            self._revoke("the moment to be killed at lies behind it")
        if cell.is_gap:
            halted = partial(has_halted, self.ports.settings, self.lease.id)
            self._until(halted, cell.moment)
        else:
            self._until(lambda: self.state.value == cell.moment, cell.moment)
            self._expect_a_witness()

    def _strike(self) -> None:
        """From here on the clock runs; whoever has stopped itself and is not hit goes on."""
        self.struck = self.ports.clock.boottime()
        live, party = self.ports.settings.live, self.cell.party
        if party in (Party.GUARD, Party.ALL):
            self.guard.end()
        if self.cell.blow is Blow.OLDER:
            restore(live)
        if self.cell.blow is Blow.GONE:
            with gone(live):
                self._hit(self._pids() if party is Party.ALL else (), Blow.KILL)
                self.ports.clock.sleep(_ASLEEP)
        else:
            pids = self._pids()
            hit = {Party.PARENT: pids[:1], Party.CHILD: pids[1:], Party.BOTH: pids}
            self._hit(hit.get(party, ()), self.cell.blow)
        if party is Party.GUARD and self.cell.moment == "armed":
            self._expect_no_fault()

    def _hit(self, pids: Sequence[int], blow: Blow) -> None:
        if self.cell.moment == "armed" and self.cell.party is not Party.GUARD:
            self.guard.start()  # whoever is left must not go on alone to a fault
        if blow is Blow.STOP:
            self._send(pids, signal.SIGSTOP)
            self._send([pid for pid in self._pids() if pid not in pids], signal.SIGCONT)
            self.ports.clock.sleep(_ASLEEP)
        else:
            self._send(pids, signal.SIGTERM if blow is Blow.TERM else signal.SIGKILL)
        self._send(self._pids(), signal.SIGCONT)

    def _expect_a_witness(self) -> None:
        """A held fault that is on must be seen: one that nobody sees is not seen to be gone.

        It may take a moment to be: a process that is stopped has to run once more to stop.
        """
        if not self.is_held or self.state is not LeaseState.ACTIVE:
            return
        until = self.ports.clock.boottime() + _SEEN_SECONDS
        while not self._left():
            if self.ports.clock.boottime() >= until:
                self.problems.append("the fault is on, and its driver sees no residue")
                return
            self.ports.clock.sleep(_PAUSE)

    def _expect_no_fault(self) -> None:
        """An armed lease that nobody renews stays armed, and its target untouched."""
        self.ports.clock.sleep(_ASLEEP)
        if self.state is not LeaseState.ARMED or self._left():
            self.problems.append("a fault without a guard")
        self._revoke("nobody watches")

    def _until_clean(self) -> float | None:
        """Wait for the journal's word; do the janitor's work where both processes are gone."""
        limit = HELD_SECONDS if self.is_held else REPAIR_SECONDS
        clock, gone_at = self.ports.clock, None
        while clock.boottime() - self.struck < limit:
            if self.state is LeaseState.CLEAN:
                return self._clean_at() - self.struck
            if self._is_given_back():
                self.problems.append("the environment was given back before the fault was gone")
            if self.ports.keepers.is_alive(self.lease.id):
                gone_at = None
            elif gone_at is None:
                gone_at = clock.boottime()
            elif clock.boottime() - gone_at > _ALONE_SECONDS:
                sweep(self.ports)
            if self._is_unhurt():
                self._revoke("the blow did not end it")
            clock.sleep(_PAUSE)
        self.problems.append(f"not clean within {limit:g} s: {self.state}")
        return None

    def _is_given_back(self) -> bool:
        """Whether the store lets go of the environment while the fault is still there."""
        try:
            if not self.ports.leases.unlock(self.environment, self.run_id):
                return False
            self.ports.leases.lock(self.environment, self.run_id)
        except StoreDown:
            return False
        return self.state is not LeaseState.CLEAN

    def _is_unhurt(self) -> bool:
        """Whether keeper and guard are both there again and go on: then a person ends it.

        A child ignores SIGTERM; a keeper that slept while it was armed has missed nothing; a
        counter that was set back has soon risen higher than ever.
        """
        is_watched = self.cell.party not in (Party.GUARD, Party.ALL)
        late = self.ports.clock.boottime() - self.struck > _ASLEEP + LEASE_SECONDS
        return is_watched and self.cell.blow is not Blow.KILL and late and \
            self.state in (LeaseState.ARMED, LeaseState.ACTIVE)

    def _look_back(self) -> End | None:
        """No residue by the driver's other path, a valid journal, and a row that says the same."""
        left = self._left()
        if left:
            self.problems.append(f"residue: {'; '.join(left)}")
        try:
            lines = self.ports.journals.open(self.lease.id).lines()
            states = [line.state for line in lines]
            if states[0] is not LeaseState.OPENED or not all(map(_may_follow, pairwise(states))):
                self.problems.append(f"the journal goes {' '.join(states)}")
        except EvidenceError as error:
            self.problems.append(str(error))
            return None
        ended = next((End(str(x.facts["ended"])) for x in lines if "ended" in x.facts), None)
        row = self._row()
        if row.state is not LeaseState.CLEAN or row.ended is not ended:
            self.problems.append(f"the store says {row.state}, ended {row.ended}, not {ended}")
        if ended in (None, End.DURATION):
            self.problems.append(f"it is told to have ended by {ended}")
        return ended

    def _row(self) -> Lease:
        """The store's word, which may come a moment after the journal's, or by the janitor."""
        with suppress(HoldfastError):
            self._until(self._row_is_clean, "the store's word", 3.0)
        if not self._row_is_clean():
            sweep(self.ports)
        return self.ports.leases.read(self.lease.id)

    def _row_is_clean(self) -> bool:
        return self.ports.leases.read(self.lease.id).state is LeaseState.CLEAN

    def _left(self) -> Sequence[str]:
        """Seen at three looks: a path that is slow once is no trace."""
        left: Sequence[str] = ()
        for _ in range(3):
            left = self.ports.drivers[self.fault.type].residue(self.recipe)
            if not left:
                return ()
        return left

    def _clean_at(self) -> float:
        return self.ports.journals.open(self.lease.id).lines()[-1].boottime

    def _revoke(self, why: str) -> None:
        at = self.ports.clock.now().isoformat()
        self.ports.leases.revoke(
            self.lease.id, Revocation(Reason.STOPPED, why, "conformance", at))

    def _close(self) -> None:
        """Whatever went wrong, nothing of this trial may stay on."""
        if self.state is not LeaseState.CLEAN:
            self._revoke("the trial is over")
            self.ports.keepers.kill(self.lease.id)
            sweep(self.ports)

    def _pids(self) -> Sequence[int]:
        """The keeper's parent and child, as they wrote themselves down."""
        try:
            text = (self.ports.settings.journals / f"{self.lease.id}.pid").read_text()
        except OSError:
            return ()
        return [int(line.split()[0]) for line in text.splitlines()[:2]]

    def _send(self, pids: Sequence[int], number: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _until(self, true: Callable[[], bool], what: str, limit: float = _MOMENT_SECONDS) -> None:
        until = self.ports.clock.boottime() + limit
        while not true():
            if self.ports.clock.boottime() >= until:
                text = f"{self.cell.driver} has not come to '{what}' within {limit:g} s"
                raise FaultError(f"{text}: {self.state}", target=self.lease.id)
            self.ports.clock.sleep(_PAUSE)


def _may_follow(pair: tuple[LeaseState, LeaseState]) -> bool:
    """Whoever takes a revert over says so again."""
    before, after = pair
    return after in MOVES[before] or (before is after is LeaseState.REVERTING)


class Renewals:
    """The guard's loop without its judgement: it renews every 50 ms until it ends."""

    def __init__(self, ports: Ports, lease_id: str) -> None:
        self._ports, self._id = ports, lease_id
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewals", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Fall silent for good."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.05):
            with suppress(HoldfastError):
                self._ports.leases.renew([Renewal(self._id)])
