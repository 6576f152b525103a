"""Watching without a fault: the real guard, and what would have ended a fault (S4, S1)."""

import asyncio

from holdfast.model.lease import Reason
from holdfast.steps.rehearse import Overheard, Rehearsal, rehearse
from support.guard import World, a_watch


def rehearsed(world: World, seconds: float, told: list[str] | None = None) -> Rehearsal:
    """One guard watched for so long, in the world's own time."""
    heard = told if told is not None else []

    async def sleep(span: float) -> None:
        await world.sleep(span)
        if world.clock.passed >= seconds:
            raise asyncio.CancelledError

    async def stand() -> list[Rehearsal]:
        return await rehearse({"hang": a_watch()}, Overheard(world), world.clock,
                              lambda name, said: heard.append(f"{name}: {said.text}"), sleep)

    return asyncio.run(stand())[0]


def test_a_steady_target_is_renewed_at_every_poll_and_nothing_is_ended():
    seen = rehearsed(World(), 20.0)
    assert (True, ()) == (35 <= seen.renewals <= 42, seen.spells)
    assert 4.4 < (seen.margin or 0.0) < 4.6


def test_a_breach_would_have_ended_the_fault_once_and_then_it_is_not_steady_until_it_recovers():
    world, told = World(), list[str]()
    world.at(5.0, world.set(p95=0.9))
    world.at(8.0, world.set(p95=0.2))
    seen = rehearsed(world, 15.0, told)
    assert [Reason.BREACH, Reason.NOT_STEADY] == [spell.reason for spell in seen.spells]
    assert ["latency-p95 was 900ms, objective < 500ms"] == [spell.text for spell in seen.ended]
    assert 2 == len(told)
    assert seen.spells[1].looks > 1
    assert seen.renewals > 15


def test_no_data_for_longer_than_the_grace_would_have_ended_the_fault():
    world = World()
    world.at(5.0, world.set(errors=None))
    assert Reason.NO_DATA in [spell.reason for spell in rehearsed(world, 12.0).ended]


def test_an_absence_longer_than_the_lease_is_told_and_not_renewed():
    world = World()
    world.at(3.0, lambda: setattr(world, "away", 7.0))
    told: list[str] = []
    rehearsed(world, 15.0, told)
    assert told[0].startswith("hang: the guard had not renewed for 7")


def test_a_target_that_never_was_steady_has_no_margin():
    world = World()
    world.values["p95"] = 0.9
    seen = rehearsed(world, 5.0)
    assert (None, 0, 1) == (seen.margin, seen.renewals, len(seen.spells))


def test_the_latest_answers_can_be_looked_at():
    world = World()
    heard = Overheard(world)
    asyncio.run(heard.now(["p95"]))
    assert 0.2 == heard.latest["p95"].value
