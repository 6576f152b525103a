"""The guard's loop in a world where only the test moves time."""

import asyncio

import pytest

from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.ports.leases import StoreDown
from support.guard import World, a_lease, a_watch


def test_a_fault_runs_its_time_under_renewals():
    """S4: renewals keep the fault; its end is seen and ends the guard."""
    world = World()
    end = world.guard()
    assert (end.state, end.ended, end.revoked) == (LeaseState.REVERTING, End.DURATION, None)
    assert 17 <= len(world.renewals) <= 19


def test_renewals_come_at_the_pace_of_the_poll():
    world = World()
    world.guard()
    gaps = [b - a for a, b in zip(world.renewals[1:], world.renewals[2:], strict=False)]
    assert [pytest.approx(0.5, abs=0.01)] * len(gaps) == gaps


def test_there_is_no_renewal_before_every_objective_held():
    """No fault where the target is not steady."""
    world = World(values={"p95": 0.2, "errors": 0.3})
    end = world.guard()
    assert (world.renewals, end.revoked.reason) == ([], Reason.NOT_STEADY)


def test_a_first_renewal_that_was_not_written_is_no_beginning():
    """The fault was never on: what happens meanwhile is an unsteady target, no breach."""
    world = World(answer_seconds=0.2)
    world.at(0.1, lambda: setattr(world, "store_is_down", True))
    world.at(1.0, world.set(p95=2.0))
    world.at(1.5, lambda: setattr(world, "store_is_down", False))
    end = world.guard()
    assert ([], Reason.NOT_STEADY) == (world.renewals, end.revoked.reason)


def test_beside_a_fault_that_is_on_only_the_stop_conditions_count():
    """Faults of a round begin one after the other; the first may be felt before the second."""
    world = World(values={"p95": 0.2, "errors": 0.3})
    beside = a_lease("beside", experiment="other", counter=2, state=LeaseState.ACTIVE)
    world.leases.rows["beside"] = beside
    assert world.guard().ended is End.DURATION


def test_beside_a_fault_that_is_on_the_first_renewal_needs_data_too():
    world = World(values={"p95": None, "errors": 0.3})
    beside = a_lease("beside", experiment="other", counter=2, state=LeaseState.ACTIVE)
    world.leases.rows["beside"] = beside
    world.at(1.2, world.set(p95=0.2))
    world.guard()
    assert world.renewals[0] >= 1.2


def test_a_clean_fault_beside_excuses_nothing():
    world = World(values={"p95": 0.2, "errors": 0.3})
    beside = a_lease("beside", experiment="other", counter=2, state=LeaseState.CLEAN)
    world.leases.rows["beside"] = beside
    assert world.guard().revoked.reason is Reason.NOT_STEADY


def test_the_first_renewal_waits_for_data():
    world = World(values={"p95": None, "errors": 0.0})
    world.at(1.2, world.set(p95=0.2))
    world.guard()
    assert 1.2 <= world.renewals[0] <= 1.8


def test_a_breach_revokes_within_one_poll():
    world = World()
    world.at(3.0, world.set(p95=1.93))
    end = world.guard()
    assert Reason.BREACH is end.revoked.reason
    assert 3.0 <= world.clock.passed <= 3.51
    seen = {k: v for k, v in end.revoked.reading.items() if k != "sampled_at"}
    assert seen == {"latency-p95": 1.93, "errors": 0.0}


def test_the_breach_so_far_travels_in_the_lease_row():
    world = World()
    world.at(2.0, world.set(errors=0.8))
    seen = []
    world.at(4.0, lambda: seen.append(dict(world.leases.rows["lease"].breach_since)))
    world.guard()
    assert list(seen[0]) == ["errors"]


def test_a_restarted_guard_needs_no_memory_of_its_own():
    """The moved guard finishes what the first one began to count."""
    world = World(lease=a_lease(state=LeaseState.ACTIVE, counter=7, duration_seconds=60.0,
                                injected_at=1000.0, breach_since={"errors": 1767232800.0 - 5.0}),
                  values={"p95": 0.2, "errors": 0.8})
    end = world.guard()
    assert Reason.BREACH is end.revoked.reason
    assert world.clock.passed <= 1.6


def test_a_restarted_guard_does_not_ask_for_steadiness_again():
    world = World(lease=a_lease(state=LeaseState.ACTIVE, counter=7, injected_at=1000.0),
                  values={"p95": 0.2, "errors": 0.3})
    assert World().guard().ended is world.guard().ended is End.DURATION


def test_missing_data_revokes_after_the_grace():
    """S5: Prometheus gone is a breach of the watch."""
    world = World()
    world.at(2.0, world.set(p95=None, errors=None))
    end = world.guard()
    assert Reason.NO_DATA is end.revoked.reason
    assert 4.5 <= world.clock.passed <= 6.0


def test_missing_data_may_be_held_through():
    world = World()
    world.at(2.0, world.set(p95=None, errors=None))
    assert End.DURATION is world.guard(hold_without_data=True).ended


def beside(world, state, **changes):
    """Put the fault that this one follows into its round."""
    world.leases.rows["first"] = a_lease("first", experiment="first", state=state, **changes)


def test_a_fault_that_follows_another_gets_no_renewal_before_that_one_is_on():
    """F6: a cascade."""
    world = World()
    beside(world, LeaseState.ARMED)
    world.at(4.0, lambda: beside(world, LeaseState.ACTIVE, counter=3))
    assert world.guard(after="first").ended is End.DURATION
    assert 4.0 <= world.renewals[0] <= 4.6


def test_it_waits_for_the_other_to_be_armed():
    world = World()
    world.at(2.0, lambda: beside(world, LeaseState.ACTIVE, counter=3))
    world.guard(after="first")
    assert 2.0 <= world.renewals[0] <= 2.6


def test_a_fault_that_is_on_goes_on_when_the_one_it_followed_has_ended():
    world = World()
    beside(world, LeaseState.ACTIVE, counter=3)
    world.at(3.0, lambda: beside(world, LeaseState.CLEAN, injected_at=1000.0))
    assert world.guard(after="first").ended is End.DURATION


def test_when_the_other_ends_without_having_been_on_the_lease_is_revoked():
    world = World()
    beside(world, LeaseState.ARMED)
    world.at(3.0, lambda: beside(world, LeaseState.CLEAN, detail="the injection failed"))
    end = world.guard(after="first")
    assert ([], Reason.CLOSED, "'first', which it follows, ended without having been on: "
            "the injection failed") == (world.renewals, end.revoked.reason, end.revoked.text)


def test_that_revocation_is_not_taken_back_when_it_could_not_be_written():
    world = World()
    beside(world, LeaseState.CLEAN)
    written = world.revoke

    async def locked(lease_id, revocation):
        if world.clock.passed < 3.0:
            raise StoreDown("database is locked")
        return await written(lease_id, revocation)

    world.revoke = locked
    world.at(2.0, lambda: beside(world, LeaseState.ACTIVE))
    assert ([], Reason.CLOSED) == (world.renewals, world.guard(after="first").revoked.reason)


def test_what_was_not_seen_while_it_waited_is_no_lack_of_data():
    """The grace begins when its turn has come."""
    world = World(values={"p95": None, "errors": None})
    beside(world, LeaseState.ARMED)
    world.at(20.0, lambda: beside(world, LeaseState.ACTIVE, counter=3))
    world.at(21.0, world.set(p95=0.2, errors=0.0))
    assert world.guard(after="first").ended is End.DURATION


def test_a_keeper_that_falls_silent_while_it_waits_is_noticed():
    world = World()
    beside(world, LeaseState.ARMED)
    world.at(3.0, lambda: setattr(world.keeper, "dead", True))
    assert Reason.KEEPER_SILENT is world.guard(after="first").revoked.reason


@pytest.mark.parametrize("lease", [
    pytest.param(a_lease(revoked=Revocation(Reason.STOPPED, "enough", "ann", "")), id="revoked"),
    pytest.param(a_lease(state=LeaseState.CLEAN, ended=End.SILENCE), id="clean"),
    pytest.param(a_lease(state=LeaseState.UNPROVEN), id="unproven"),
])
def test_a_guard_that_starts_on_a_closed_lease_ends_at_once(lease):
    world = World(lease=lease)
    assert lease == world.guard()
    assert (world.asked, world.renewals) == (0, [])


def test_a_stop_by_a_person_ends_the_guard():
    world = World()
    world.at(3.0, lambda: world.leases.stop(Revocation(Reason.STOPPED, "enough", "ann", "")))
    assert Reason.STOPPED is world.guard().revoked.reason


def test_a_silent_keeper_ends_the_guard_after_three_seconds():
    world = World()
    world.at(4.0, lambda: setattr(world.keeper, "dead", True))
    end = world.guard()
    assert Reason.KEEPER_SILENT is end.revoked.reason
    assert 7.0 <= world.clock.passed <= 8.1


def test_a_keeper_that_never_claims_the_lease_has_five_seconds():
    world = World()
    world.keeper.dead = True
    assert Reason.KEEPER_SILENT is world.guard().revoked.reason
    assert 5.0 <= world.clock.passed <= 6.1


def test_a_guard_that_was_stopped_longer_than_the_lease_never_renews_again():
    """SIGSTOP of the guard: the keeper has ended the fault; the guard believes the store."""
    world = World()
    world.at(2.0, lambda: setattr(world, "away", 7.0))
    end = world.guard()
    assert (end.ended, end.revoked) == (End.SILENCE, None)
    assert max(world.renewals) <= 2.5


def test_a_guard_that_was_stopped_with_its_keeper_revokes():
    """The whole machine stood still: nobody ended the fault, and nobody may go on with it."""
    world = World()
    def stand_still():
        world.away, world.keeper.live = 7.0, lambda now: None
    world.at(2.0, stand_still)
    end = world.guard()
    assert Reason.NO_DATA is end.revoked.reason
    assert "the guard had not renewed for 7." in end.revoked.text
    assert max(world.renewals) <= 2.5


def test_an_answer_from_before_a_pause_is_not_judged():
    """Stopped for less than the lease but longer than the grace: ask again first."""
    world = World()
    def pause():
        world.away = 3.5
        world.at(world.clock.passed + 1.0, world.set(p95=2.0))
    world.at(2.0, pause)
    end = world.guard()
    assert Reason.BREACH is end.revoked.reason
    assert max(world.renewals) <= 2.1


def test_a_store_that_fails_for_a_while_costs_nothing():
    world = World()
    world.at(2.0, lambda: setattr(world, "store_is_down", True))
    world.at(5.0, lambda: setattr(world, "store_is_down", False))
    assert End.DURATION is world.guard().ended


def test_a_keeper_is_not_called_silent_for_beats_that_nobody_could_read():
    world = World()
    def trouble():
        world.store_is_down = world.keeper.dead = True
    world.at(2.0, trouble)
    world.at(5.5, lambda: setattr(world, "store_is_down", False))
    world.at(6.2, lambda: setattr(world.keeper, "dead", False))
    assert world.guard().ended is End.DURATION


def test_a_store_that_fails_longer_than_the_lease_leaves_the_end_to_the_keeper():
    world = World()
    world.at(2.0, lambda: setattr(world, "store_is_down", True))
    world.at(9.0, lambda: setattr(world, "store_is_down", False))
    assert End.SILENCE is world.guard().ended


def test_a_revocation_that_could_not_be_written_is_not_taken_back():
    """The breach is over when the store is back; the decision stands."""
    world = World(lease=a_lease(duration_seconds=60.0))
    def trouble():
        world.store_is_down = True
        world.values["p95"] = 2.0
    def calm():
        world.store_is_down = False
        world.values["p95"] = 0.2
    world.at(2.0, trouble)
    world.at(4.0, calm)
    end = world.guard()
    assert Reason.BREACH is end.revoked.reason
    assert end.revoked.spent_ms >= 1000


def test_slow_answers_do_not_slow_the_decision_by_more_than_they_take():
    world = World(answer_seconds=0.4)
    world.guard()
    assert max(b - a for a, b in zip(world.renewals, world.renewals[1:], strict=False)) <= 1.01


def test_a_lease_that_does_not_exist_is_said():
    world = World()
    world.leases.rows.clear()
    with pytest.raises(KeyError):
        asyncio.run(world.stand())


def test_two_guards_of_one_lease_do_no_harm():
    world = World()
    world.at(3.0, world.set(p95=2.0))

    async def both():
        return await asyncio.gather(world.stand(), world.stand())

    one, two = asyncio.run(both())
    assert Reason.BREACH is one.revoked.reason is two.revoked.reason


def test_guards_that_ask_the_same_tick_together():
    from holdfast.steps.watch import _Guard
    world = World()
    pauses = set()
    for passed in (0.0, 0.1, 0.2):
        world.clock.passed = passed
        pauses.add(round(passed + _Guard(a_watch(), world, world, world.clock).pause(), 6) % 0.5)
    assert len({round(p, 3) for p in pauses}) == 1


def test_unknown_errors_are_not_swallowed():
    world = World()

    async def broken(lease_id):
        raise ZeroDivisionError

    world.read = broken
    with pytest.raises(ZeroDivisionError):
        asyncio.run(world.stand())
