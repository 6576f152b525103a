"""The keeper's decisions, through every transition, on a clock of the test's own (S4, N5, N6)."""

from dataclasses import replace

import pytest

from holdfast.keeper.machine import (
    Deed,
    Machine,
    Phase,
    Reading,
    Sight,
    Terms,
)
from holdfast.model.lease import ARMED_SECONDS, INJECT_SECONDS, End

TERMS = Terms(lease=5.0, duration=8.0)


class Keeping:
    """A machine with a world around it that the test changes and lets time pass in."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.machine = Machine(terms, armed_at=0.0)
        self.now = 0.0
        self.world = Sight(0.0, Reading(0.0, 0))

    def step(self, passed: float = 0.0, *, renew: int = 0, **changes: object) -> Deed:
        self.now += passed
        if renew and self.world.reading:
            changes["reading"] = Reading(self.now, self.world.reading.counter + renew)
        self.world = replace(self.world, now=self.now, **changes)
        return self.machine.step(self.world)

    def watch(self, seconds: float, every: float = 0.5) -> list[Deed]:
        return [self.step(every, renew=1) for _ in range(round(seconds / every))]

    def inject(self) -> "Keeping":
        self.step()
        self.step(0.1, renew=1)
        assert Deed.INJECT is self.step(0.1, begun="")
        return self

    def activate(self) -> "Keeping":
        self.inject()
        assert Deed.ACTIVATE is self.step(0.1, injected="", injected_at=self.now)
        return self

    @property
    def end(self) -> tuple[End | None, bool]:
        return self.machine.ended, self.machine.touched


@pytest.fixture
def keeping() -> Keeping:
    return Keeping()


def test_without_a_rise_nothing_begins(keeping):
    keeping.step()
    assert {Deed.WAIT} == {keeping.step(0.5) for _ in range(100)}


def test_a_counter_that_is_already_high_is_no_rise(keeping):
    assert Deed.WAIT is keeping.step(reading=Reading(0.0, 99))
    assert Deed.WAIT is keeping.step(0.1, reading=Reading(0.1, 99))


def test_the_same_reading_twice_is_one_reading(keeping):
    keeping.step()
    assert Deed.BEGIN is keeping.step(0.1, renew=1)
    keeping.step(4.0)
    assert not keeping.machine.is_fresh(keeping.now)


def test_a_rise_asks_the_store(keeping):
    keeping.step()
    assert Deed.BEGIN is keeping.step(0.1, renew=1)


def test_a_rise_that_was_seen_too_long_ago_asks_nothing(keeping):
    keeping.step()
    keeping.now = 2.0
    assert Deed.WAIT is keeping.step(reading=Reading(0.5, 1))


def test_the_store_says_yes_and_the_rise_is_fresh(keeping):
    keeping.inject()
    assert keeping.machine.touched


def test_a_late_yes_waits_for_the_next_renewal(keeping):
    keeping.step()
    keeping.step(0.1, renew=1)
    assert Deed.WAIT is keeping.step(1.5, begun="")
    assert Deed.INJECT is keeping.step(0.1, renew=1)


def test_the_delay_is_spent_under_renewals():
    keeping = Keeping(Terms(5.0, 8.0, delay=2.0))
    keeping.step()
    assert [Deed.WAIT] * 4 == keeping.watch(2.0)
    assert Deed.BEGIN is keeping.step(0.5, renew=1)


def test_a_guard_that_falls_silent_in_the_delay_means_no_fault():
    keeping = Keeping(Terms(5.0, 8.0, delay=20.0))
    keeping.step()
    keeping.watch(2.0)
    assert Deed.END is keeping.step(5.0)
    assert (End.SILENCE, False) == keeping.end


@pytest.mark.parametrize("why", ["revoked: breach", "held: audit", "stopped since"])
def test_a_refusal_of_the_store_ends_it_untouched(keeping, why):
    keeping.step()
    keeping.step(0.1, renew=1)
    assert Deed.END is keeping.step(0.1, begun=why)
    assert (End.REFUSED, False) == keeping.end
    assert why == keeping.machine.detail


def test_armed_expires():
    keeping = Keeping()
    assert Deed.WAIT is keeping.step(ARMED_SECONDS - 0.1)
    assert Deed.END is keeping.step(0.1)
    assert (End.EXPIRED, False) == keeping.end


def test_the_delay_does_not_count_against_the_expiry():
    keeping = Keeping(Terms(5.0, 8.0, delay=100.0))
    keeping.step()
    keeping.watch(99.0)
    assert Phase.ARMED is keeping.machine.phase


def test_a_failed_injection_is_reverted(keeping):
    keeping.inject()
    assert Deed.END is keeping.step(0.1, injected="connection refused")
    assert (End.FAILED, True) == keeping.end


def test_an_injection_that_hangs_is_reverted(keeping):
    keeping.inject()
    keeping.watch(INJECT_SECONDS - 0.5)
    assert Deed.END is keeping.step(0.5, renew=1)
    assert (End.FAILED, True) == keeping.end


def test_the_fault_ends_after_its_duration(keeping):
    keeping.activate()
    assert Deed.END not in keeping.watch(7.5)
    assert Deed.END is keeping.step(0.6, renew=1)
    assert (End.DURATION, True) == keeping.end


@pytest.mark.parametrize(("change", "end"), [
    pytest.param({"reading": Reading(0.4, 1, "breach: p95")}, End.REVOKED, id="revoked"),
    pytest.param({"signalled": True}, End.SIGNAL, id="sigterm"),
    pytest.param({"child_alive": False}, End.CHILD_DIED, id="child-died"),
])
@pytest.mark.parametrize("phase", ["armed", "injecting", "active"])
def test_what_ends_a_fault_at_once_ends_it_in_every_phase(keeping, phase, change, end):
    {"armed": keeping.step, "injecting": keeping.inject, "active": keeping.activate}[phase]()
    assert Deed.END is keeping.step(0.1, **change)
    assert (end, phase != "armed") == keeping.end


def test_silence_of_the_lease_time_ends_it(keeping):
    keeping.activate()
    assert Deed.WAIT is keeping.step(4.7)
    assert Deed.END is keeping.step(0.1)
    assert (End.SILENCE, True) == keeping.end
    assert pytest.approx(5.0) == keeping.machine.widest_gap


@pytest.mark.parametrize("counter", [0, 1], ids=["lower", "same"])
def test_a_counter_that_does_not_rise_is_silence(keeping, counter):
    keeping.activate()
    deeds = [keeping.step(0.5, reading=Reading(keeping.now, counter)) for _ in range(10)]
    assert [Deed.WAIT] * 9 + [Deed.END] == deeds


def test_after_a_lower_counter_only_a_higher_one_than_ever_is_a_renewal(keeping):
    keeping.activate()
    keeping.step(2.0, reading=Reading(keeping.now + 2.0, 10))
    keeping.step(2.0, reading=Reading(keeping.now + 2.0, 3))
    assert Deed.END is keeping.step(3.0, reading=Reading(keeping.now + 3.0, 10))


def test_no_readings_are_silence(keeping):
    keeping.activate()
    assert Deed.END is keeping.step(5.0, reading=None)


def test_whoever_slept_longer_than_the_lease_may_not_go_on(keeping):
    """After SIGSTOP and SIGCONT the first thing seen may be a fresh renewal."""
    keeping.activate()
    assert Deed.END is keeping.step(6.0, renew=5)
    assert (End.SILENCE, True) == keeping.end


def test_an_armed_keeper_that_slept_never_injects():
    keeping = Keeping(Terms(5.0, 8.0, delay=3.0))
    keeping.step()
    keeping.watch(1.0)
    assert Deed.END is keeping.step(6.0, renew=5)
    assert (End.SILENCE, False) == keeping.end


def test_the_widest_gap_is_of_the_time_the_fault_was_on(keeping):
    keeping.activate()
    keeping.watch(2.0)
    keeping.step(3.0, renew=1)
    keeping.watch(2.0)
    keeping.step(0.1, signalled=True)
    assert pytest.approx(3.0) == keeping.machine.widest_gap


def test_an_untouched_target_has_no_gap(keeping):
    keeping.step()
    keeping.step(0.1, renew=1)
    keeping.step(2.0, signalled=True)
    assert keeping.machine.widest_gap is None


def test_after_the_end_nothing_more_is_done(keeping):
    keeping.activate()
    keeping.step(0.1, signalled=True)
    assert Deed.WAIT is keeping.step(0.1, renew=1)


def test_the_keeper_may_give_up_by_itself(keeping):
    keeping.inject()
    assert Deed.END is keeping.machine.fail(keeping.now, "the disk is gone")
    assert (End.FAILED, True) == keeping.end
