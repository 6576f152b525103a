"""Guards of two processes over one store, with real keepers; one of the two is killed (S4, S5)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.model.fault import Fault
from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry
from support.fleet import Fleet, prometheus
from support.guard import a_watch
from support.leases import a_lease, file_ports
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.kill]
GUARDS, LEASE_SECONDS = 20, 4.0
ALL = [f"lease-{number}" for number in range(GUARDS)]
LOST, KEPT = ALL[:GUARDS // 2], ALL[GUARDS // 2:]


class World:
    """Noop faults, each with a real keeper, and what a fleet needs to guard them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = file_ports(home, drivers=Registry[FaultDriver]("faults", "DRIVER"))
        self.fleets: list[Fleet] = []

    def arm(self) -> None:
        for number, name in enumerate(ALL):
            lease = self.ports.leases.open(a_lease(
                id=name, round=number, lease_seconds=LEASE_SECONDS, duration_seconds=600.0,
                opened_at=datetime.now(UTC).isoformat(),
            ))
            fault = Fault("noop", "api", {}, str(self.home), timedelta(minutes=10))
            driver = self.ports.drivers["noop"]
            self.ports.journals.create(lease, fault, driver.arm(fault, name))
            self.ports.keepers.start(name)

    def fleet(self, name: str, leases: list[str]) -> Fleet:
        watches = {n: a_watch(n, lease=LEASE_SECONDS).model_dump(mode="json") for n in leases}
        self.fleets.append(Fleet(self.home, name, watches))
        return self.fleets[-1]

    def states(self, leases: list[str]) -> set[LeaseState]:
        return {self.ports.leases.read(name).state for name in leases}

    def marks(self) -> set[str]:
        """What is left of the faults: their own marker files."""
        folder = self.home / "noop"
        return {mark.name for mark in folder.iterdir()} if folder.is_dir() else set()

    def stop(self) -> None:
        self.ports.leases.stop(Revocation(Reason.STOPPED, "the test is over", "test", ""))
        for fleet in self.fleets:
            fleet.kill()
        for name in ALL:
            self.ports.keepers.end(name)
        wait_for(lambda: not any(map(self.ports.keepers.is_alive, ALL)), 20)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    try:
        with prometheus(tmp_path):
            yield world
    finally:
        world.stop()


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_triggerer_is_killed_and_its_guards_are_moved(world: World):
    """Every fault of the dead one's guards ends within the lease, the other's all go on.

    Started again, the moved guards end at once with the reason that the store has.
    """
    world.arm()
    dead, alive = world.fleet("dead", LOST), world.fleet("alive", KEPT)
    wait_for(lambda: world.states(ALL) == {LeaseState.ACTIVE}, 60)
    assert world.marks() == set(ALL)
    killed_at = boottime()
    dead.kill()
    wait_for(lambda: world.states(LOST) == {LeaseState.CLEAN}, LEASE_SECONDS + 10)
    rows = [world.ports.leases.read(name) for name in LOST]
    assert max(row.clean_at - killed_at for row in rows) < LEASE_SECONDS + 1.0
    assert ({"silence"}, {LeaseState.ACTIVE}) == ({r.ended.value for r in rows}, world.states(KEPT))
    assert world.marks() == set(KEPT)
    moved = world.fleet("moved", LOST)
    assert 0 == moved.process.wait(60)
    told = moved.seen()
    assert ["silence"] * len(LOST) == [event["reason"] for event in told["events"]]
    assert (0, 0) == (told["renewals"], told["polls"])
    assert world.states(KEPT) == {LeaseState.ACTIVE}
    world.ports.leases.stop(Revocation(Reason.STOPPED, "enough", "ann", ""))
    assert 0 == alive.process.wait(30)
    assert {"stopped"} == {event["reason"] for event in alive.seen()["events"]}
    wait_for(lambda: world.states(ALL) == {LeaseState.CLEAN}, 20)
    assert world.marks() == set()


def test_renewals_of_all_guards_of_a_process_share_transactions(world: World):
    """One for each 50 ms at most, however many guards there are."""
    world.arm()
    fleet = world.fleet("one", ALL)
    wait_for(lambda: fleet.seen().get("renewals", 0) > 5 * GUARDS, 60)
    seen = fleet.seen()
    assert seen["batches"] <= seen["seconds"] / 0.05 + 1
    assert seen["renewals"] / seen["batches"] > GUARDS / 4
