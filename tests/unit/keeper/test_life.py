"""Guard, keeper, revert, janitor, stop and every death, in any order (S4, S5, N1-N8).

The rules: no fault without a renewal in the last lease while any part of its keeper is awake;
nothing injected after a revocation or a stop was seen; no `clean` with residue.
"""

import random
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from holdfast.errors import HoldfastError, ResidueError
from holdfast.keeper.machine import FRESH_SECONDS
from holdfast.model.lease import LeaseState, Reason, Renewal, Revocation
from holdfast.ports.leases import StoreDown
from holdfast.steps.finish import estate_of
from holdfast.steps.janitor import sweep
from holdfast.steps.mirror import path
from holdfast.steps.revert import revert
from holdfast.steps.stop import stop
from support.keeping import FakeClock, FlakyLeases, KeepersInHand, TrickyDriver
from support.leases import a_fault, a_lease, file_ports

LEASE, STEP = 5.0, 0.1
ENDING = (LeaseState.REVERTING, LeaseState.CLEAN, LeaseState.UNCLEAN, LeaseState.UNPROVEN)


class Life(RuleBasedStateMachine):
    @initialize(
        duration=st.sampled_from([20.0, 2.0]), delay=st.sampled_from([0.0, 1.5]),
        watched=st.sampled_from([3.0, 0.4, 0.2, 0.0]), lag=st.sampled_from([0.0, 0.35, 0.8]),
    )
    def open(self, duration, delay, watched, lag):
        self.home = Path(tempfile.mkdtemp())
        self.clock = FakeClock(on_sleep=self._while_sleeping)
        self.driver = TrickyDriver()
        keepers = KeepersInHand(self.home / "stops.jsonl")
        self.ports = file_ports(
            self.home, clock=self.clock, leases=FlakyLeases(self.home / "live.db"),
            drivers={"noop": self.driver}, keepers=keepers,
        )
        keepers.estate = estate_of(self.ports)
        self.guard_on, self.busy, self.renewed_at = True, False, float("-inf")
        self.ended_at: float | None = None
        lease = a_lease(duration_seconds=duration, delay_seconds=delay,
                        opened_at=self.clock.now().isoformat())
        lease = self.ports.leases.open(lease)
        fault = a_fault(self.home)
        self.journal = self.ports.journals.create(
            lease, fault, self.driver.arm(fault, lease.id))
        self.ports.keepers.start(lease.id)
        self.keeper = keepers.kept[lease.id]
        self.keeper.child.lag = lag
        if watched:
            self.time_passes(watched)

    # time, in which guard and keeper do what they do

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 3.0, 6.0]))
    def time_passes(self, seconds):
        for _ in range(round(seconds / STEP)):
            self.clock.passed += STEP
            self._moment()

    @rule(seconds=st.sampled_from([0.5, 6.0]))
    def everybody_sleeps(self, seconds):
        """The host is suspended: time passes and nobody moves."""
        awake = self.keeper.parent_alive and not self.keeper.frozen
        was_on = self._state() is LeaseState.ACTIVE
        self.clock.passed += seconds
        self._moment()
        if awake and was_on and seconds >= LEASE:
            assert self._state() in ENDING  # a renewal that comes after the lease comes too late

    @rule(on=st.booleans())
    def guard(self, on):
        self.guard_on = on

    @rule()
    def guard_dies(self):
        self.guard_on = False
        self.time_passes(6.0)

    # deaths

    @rule()
    def parent_dies(self):
        self.keeper.kill_parent()

    @rule()
    def child_dies(self):
        self.keeper.kill_child()

    @rule(frozen=st.booleans())
    def parent_is_stopped_or_continued(self, frozen):
        self.keeper.frozen = frozen

    @rule(down=st.booleans())
    def store(self, down):
        self.ports.leases.down = down

    @rule(stuck=st.booleans(), blind=st.booleans())
    def target(self, stuck, blind):
        self.driver.stuck, self.driver.blind = stuck, blind

    # people and tasks

    @rule()
    def guard_revokes(self):
        try:
            self.ports.leases.revoke("lease-1", Revocation(Reason.BREACH, "p95", "guard", ""))
            self._note_end()
        except StoreDown:
            pass

    @precondition(lambda self: not self.busy)
    @rule(hold=st.sampled_from(["", "audit"]))
    def person_stops(self, hold):
        self._note_end()
        self._busy(lambda: stop(self.ports, "alice", "enough", hold=hold))

    @rule()
    def task_reverts(self):
        self._busy(lambda: self._expect_clean(lambda: revert(self.ports, "lease-1")))

    @rule()
    def janitor_sweeps(self):
        self._busy(lambda: sweep(self.ports))

    # the rules

    @invariant()
    def clean_means_no_residue(self):
        if not hasattr(self, "journal"):
            return
        if self._state() is LeaseState.CLEAN:
            assert not self.driver.marks
        if not self.ports.leases.down:
            row = self.ports.leases.read("lease-1").state
            assert row is not LeaseState.CLEAN or self._state() is LeaseState.CLEAN

    @invariant()
    def the_journal_is_a_life(self):
        if hasattr(self, "journal"):
            states = [line.state for line in self.journal.lines()]
            assert all(
                b is a or path(a, b) for a, b in pairwise(states)
            ), states

    @invariant()
    def injected_at_most_once_and_not_told_to_after_an_end(self):
        """A child that was told just before may be a moment late; its parent, awake, kills it."""
        if not hasattr(self, "keeper"):
            return
        child = self.keeper.child
        assert len(child.injections) <= len(child.tellings) <= 1
        if child.tellings and self.ended_at is not None:
            assert child.tellings[0] <= self.ended_at + STEP

    def _state(self):
        return self.journal.lines()[-1].state

    def _note_end(self):
        if self.ended_at is None:
            self.ended_at = self.clock.boottime()

    def _expect_clean(self, deed):
        try:
            deed()
        except ResidueError:
            assert self._state() is not LeaseState.CLEAN
        else:
            assert not self.driver.marks
            assert self._state() is LeaseState.CLEAN

    def _busy(self, deed):
        self.busy = True
        try:
            deed()
        finally:
            self.busy = False

    def _while_sleeping(self, _passed):
        """A step waits: the others go on meanwhile, unless it is the keeper itself that waits."""
        if self.busy and not getattr(self, "moving", False):
            self._moment()

    def _moment(self):
        self.moving = True
        try:
            if self.guard_on:
                self._renew()
            before = len(self.keeper.child.injections)
            if self.keeper.is_alive:
                self.keeper.turn(STEP)
            if len(self.keeper.child.injections) > before:
                # the keeper counts from when it saw the renewal, a turn after it at most
                assert self.clock.boottime() - self.renewed_at < FRESH_SECONDS + STEP
        finally:
            self.moving = False
        self._check_lease()

    def _renew(self):
        try:
            before = self.ports.leases.read("lease-1").counter
            if self.ports.leases.renew([Renewal("lease-1")])["lease-1"].counter > before:
                self.renewed_at = self.clock.boottime()
        except HoldfastError:
            return

    def _check_lease(self):
        """While any part of the keeper is awake, the fault has a renewal in the last lease."""
        awake = self.keeper.is_alive and self._state() not in ENDING
        if not (awake and self.driver.marks):
            return
        slack = LEASE + 1.0 + STEP if self.keeper.frozen else STEP
        assert self.clock.boottime() - self.renewed_at <= LEASE + slack

    def teardown(self):
        if not hasattr(self, "keeper"):
            return
        self.driver.stuck = self.driver.blind = self.keeper.frozen = self.guard_on = False
        self.ports.leases.down = False
        self.clock.passed += 1.0
        for _ in range(200):
            self._moment()
            self.clock.passed += 1.0
        sweep(self.ports)
        assert not self.driver.marks
        assert LeaseState.CLEAN is self._state()
        assert LeaseState.CLEAN is self.ports.leases.read("lease-1").state
        self.keeper.claim.close()
        self.ports.leases.close()
        shutil.rmtree(self.home)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


DEEDS = [  # what happens in a life, how often, and with what
    (12, "time_passes", {"seconds": (0.1, 0.2, 0.3, 1.0)}),
    (2, "everybody_sleeps", {"seconds": (0.5, 1.5, 6.0)}),
    (1, "guard_dies", {}),
    (2, "guard", {"on": (True, False)}),
    (1, "parent_dies", {}),
    (1, "child_dies", {}),
    (2, "parent_is_stopped_or_continued", {"frozen": (True, False)}),
    (3, "store", {"down": (True, False, False)}),
    (3, "target", {"stuck": (True, False, False), "blind": (True, False, False)}),
    (2, "guard_revokes", {}),
    (1, "person_stops", {"hold": ("", "audit")}),
    (1, "task_reverts", {}),
    (1, "janitor_sweeps", {}),
]
RULES = [name for name, found in vars(Life).items() if name.startswith(("clean_", "the_", "inj"))]


@pytest.mark.parametrize("seed", range(8))
def test_random_lives_keep_the_rules_too(seed):
    """Longer lives, in which more happens while the fault is on, than hypothesis likes to draw."""
    chance = random.Random(seed)
    for _ in range(40):
        life = Life()
        life.open(chance.choice((20.0, 2.0)), chance.choice((0.0, 1.5)),
                  chance.choice((0.1, 0.2, 0.3, 3.0)), chance.choice((0.0, 0.15, 0.35, 0.8)))
        for _ in range(chance.randint(1, 12)):
            [(_, name, choices)] = chance.choices(DEEDS, [weight for weight, _, _ in DEEDS])
            getattr(life, name)(**{k: chance.choice(v) for k, v in choices.items()})
            for rule_name in RULES:
                getattr(life, rule_name)()
        life.teardown()
