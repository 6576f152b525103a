"""Mending a target, and the row that follows its journal."""

from threading import Event

import pytest

from holdfast.errors import FaultError
from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.steps.mend import Limits, mend
from holdfast.steps.mirror import mirror, path
from holdfast.steps.revert import revert
from support.bench import ID, Bench
from support.keeping import FakeClock, TrickyDriver
from support.leases import a_fault


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()




def test_a_revert_that_fails_at_first_is_tried_again():
    driver, clock = TrickyDriver(marks={ID}), FakeClock()
    driver.blind = True
    clock.on_sleep = lambda passed: setattr(driver, "blind", passed < 5)
    assert LeaseState.CLEAN is mend(driver, driver.arm(a_fault("/"), ID), clock).state


def test_residue_that_fades_is_waited_for():
    """The other path may see the revert a moment later."""
    driver, clock = TrickyDriver(marks={ID}), FakeClock()
    driver.stuck = True
    clock.on_sleep = lambda passed: setattr(driver, "marks", set() if passed > 1 else {ID})
    assert LeaseState.CLEAN is mend(driver, driver.arm(a_fault("/"), ID), clock).state


def test_a_target_that_looks_clean_while_the_revert_fails_is_unproven():
    class Refusing(TrickyDriver):
        def revert(self, recipe):
            raise ValueError("a bug")

    driver, clock = Refusing(), FakeClock()
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock)
    expected = "not proven clean: revert failed: ValueError: a bug"
    assert (LeaseState.UNPROVEN, expected) == (mended.state, mended.detail)


def test_a_revert_that_hangs_is_bounded():
    class Hanging(TrickyDriver):
        def revert(self, recipe):
            Event().wait(5)

    driver, clock = Hanging(), FakeClock()
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock, Limits(0.02, 0.02, 0, 0))
    assert "not proven clean: revert did not return within 0.02 s" == mended.detail


class Slow(TrickyDriver):
    """A revert takes `takes` seconds and then fails, or leaves what fades at `fades_at`."""

    def __init__(self, clock, takes, fades_at=None):
        super().__init__(marks={ID})
        self.clock, self.takes, self.fades_at, self.begun = clock, takes, fades_at, []

    def revert(self, recipe):
        self.begun.append(self.clock.passed)
        self.clock.passed += self.takes
        if self.fades_at is None:
            raise FaultError("unreachable")

    def residue(self, recipe):
        return [ID] if self.clock.passed < self.fades_at else []


def test_no_revert_begins_that_might_not_end_in_time():
    clock = FakeClock()
    driver = Slow(clock, takes=8.0)
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock, Limits(10.0, 10.0, 3.0, 30.0))
    assert LeaseState.UNPROVEN is mended.state
    assert max(driver.begun) <= 20.0
    assert len(driver.begun) > 1


def test_after_a_revert_that_returned_residue_is_looked_at_to_the_end():
    """A one-shot fault: its revert has used up the time that another would need."""
    clock = FakeClock()
    driver = Slow(clock, takes=60.0, fades_at=80.0)
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock, Limits(75.0, 10.0, 5.0, 90.0))
    assert (LeaseState.CLEAN, [0.0]) == (mended.state, driver.begun)


def test_the_row_follows_the_journal_however_far_behind(bench):
    bench.open()
    assert mirror(bench.ports.leases, ID, LeaseState.UNCLEAN, {"ended": End.SILENCE, "x": 1})
    assert (LeaseState.UNCLEAN, End.SILENCE) == (bench.row.state, bench.row.ended)
    assert mirror(bench.ports.leases, ID, LeaseState.UNCLEAN, {})


def test_a_clean_row_follows_nobody(bench):
    bench.open()
    bench.ports.leases.move(ID, LeaseState.CLEAN)
    assert not mirror(bench.ports.leases, ID, LeaseState.ACTIVE, {})
    assert () == path(LeaseState.CLEAN, LeaseState.ACTIVE)


def test_a_revoked_round_mate_is_finished_too(bench):
    bench.activate()
    bench.ports.leases.revoke(ID, Revocation(Reason.BREACH, "p95", "guard", ""))
    revert(bench.ports, ID)
    assert Reason.BREACH is bench.row.revoked.reason
