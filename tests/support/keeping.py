"""A keeper without processes: its real loop, on a clock and with deaths that the test decides."""

from contextlib import ExitStack
from pathlib import Path

from holdfast.errors import FaultError
from holdfast.keeper.machine import FRESH_SECONDS, Machine, Terms
from holdfast.keeper.mirror import Mirror
from holdfast.keeper.parent import Parent
from holdfast.model.fault import Recipe
from holdfast.model.lease import End, LeaseState
from holdfast.ports.leases import StoreDown
from holdfast.steps.adopt import Estate, adopt
from holdfast.steps.mend import mend
from holdfast.stores.live import SqliteLeases
from support.ports import FakeClock, FakeDriver


class FlakyLeases(SqliteLeases):
    """The real store, and a switch to take it away."""

    down = False

    def __init__(self, path: Path) -> None:
        super().__init__(path, busy_seconds=0.05)

    def _connection(self):
        if self.down:
            raise OSError("the store is away")
        return super()._connection()


class TrickyDriver(FakeDriver):
    """A target that can refuse its revert, or not be seen; `injected` remembers when."""

    stuck = False
    blind = False

    def inject(self, recipe: Recipe) -> None:
        super().inject(recipe)

    def revert(self, recipe: Recipe) -> None:
        if self.blind:
            raise FaultError("unreachable")
        if not self.stuck:
            super().revert(recipe)

    def residue(self, recipe: Recipe):
        if self.blind:
            raise FaultError("unreachable")
        return super().residue(recipe)


class Pen:
    """Writes at once."""

    def __init__(self, journal) -> None:
        self.journal = journal

    def write(self, state: LeaseState, wait: float, **facts: object) -> bool:
        self.journal.write(state, **facts)
        return True


class ChildInHand:
    """Injects when it is its turn, unless it is dead by then."""

    def __init__(self, driver, recipe, clock) -> None:
        self.driver, self.recipe, self.clock = driver, recipe, clock
        self.alive = True
        self.injected: str | None = None
        self.injected_at: float | None = None
        self.told: float | None = None
        self.renewed_at = float("-inf")
        self.silent = 0.0
        self.lag = 0.0
        self.tellings: list[float] = []
        self.injections: list[float] = []

    def beat(self) -> None:
        self.silent = 0.0

    def inject(self, renewed_at: float) -> None:
        self.renewed_at, self.told = renewed_at, self.clock.boottime()
        self.tellings.append(self.told)

    def kill(self) -> None:
        self.alive = False

    def turn(self) -> None:
        if not self.alive or self.told is None or self.clock.boottime() < self.told + self.lag:
            return
        self.told = None
        if self.clock.boottime() - self.renewed_at >= FRESH_SECONDS:
            self.injected = "told too late"
            return
        self.driver.inject(self.recipe)
        self.injections.append(self.clock.boottime())
        self.injected, self.injected_at = "", self.clock.boottime()


class KeeperInHand:
    """Parent and child of one lease."""

    def __init__(self, estate: Estate, stops: Path, lease_id: str) -> None:
        self.estate, self.lease_id = estate, lease_id
        self.claim = ExitStack()
        self.journal = estate.journals.open(lease_id)
        self.parent_alive = self.claim.enter_context(estate.journals.claim(lease_id))
        self.frozen = False
        if self.journal.lines()[-1].state is not LeaseState.OPENED:
            self.parent_alive = False
        lease, recipe = self.journal.lease(), self.journal.recipe()
        self.lease = lease
        driver = estate.drivers[recipe.fault_type]
        self.child = ChildInHand(driver, recipe, estate.clock)
        try:
            self.parent_alive &= estate.leases.move(lease_id, LeaseState.ARMED)
        except StoreDown:
            self.parent_alive = False
        if not self.parent_alive:
            self.child.alive = False
            self.claim.close()
            return
        self.journal.write(LeaseState.ARMED)
        self.mirror = Mirror(estate.leases, lease, stops, estate.clock)
        terms = Terms(lease.lease_seconds, lease.duration_seconds, lease.delay_seconds)
        self.parent = Parent(
            Machine(terms, estate.clock.boottime()), (self.mirror, Pen(self.journal), self.child),
            lambda: mend(driver, recipe, estate.clock), estate.clock,
        )

    @property
    def is_alive(self) -> bool:
        return self.parent_alive or self.child.alive

    def turn(self, passed: float) -> None:
        """What each of them does in a moment."""
        if self.parent_alive and not self.frozen:
            self.mirror.look()
            if not self.parent.tick():
                self.mirror.look()
                self.parent_alive = False
                self.claim.close()
                return
        self.child.turn()
        if self.child.alive and not (self.parent_alive and not self.frozen):
            self.child.silent += passed
            if not self.parent_alive or self.child.silent >= self.lease.lease_seconds + 0.5:
                self._orphan()

    def kill_parent(self) -> None:
        self.parent_alive = False
        if not self.child.alive:
            self.claim.close()

    def kill_child(self) -> None:
        self.child.kill()
        if not self.parent_alive:
            self.claim.close()

    def kill(self) -> None:
        self.parent_alive = False
        self.child.kill()
        self.claim.close()

    def _orphan(self) -> None:
        """The parent is killed, then the child's new process claims and reverts."""
        self.parent_alive = False
        self.child.told = None
        self.claim.close()
        with self.estate.journals.claim(self.lease_id) as ours:
            if ours:
                adopt(self.estate, self.lease_id, End.PARENT_DIED, "the child")
        self.child.kill()


class KeepersInHand:
    """Keepers that live in this process."""

    def __init__(self, stops: Path) -> None:
        self.stops = stops
        self.estate: Estate
        self.kept: dict[str, KeeperInHand] = {}

    def start(self, lease_id: str) -> None:
        if not self.is_alive(lease_id):
            self.kept[lease_id] = KeeperInHand(self.estate, self.stops, lease_id)

    def is_alive(self, lease_id: str) -> bool:
        return lease_id in self.kept and self.kept[lease_id].is_alive

    def end(self, lease_id: str) -> None:
        if self.is_alive(lease_id) and self.kept[lease_id].parent_alive:
            self.kept[lease_id].parent.signalled = True

    def kill(self, lease_id: str) -> None:
        if lease_id in self.kept:
            self.kept[lease_id].kill()


__all__ = ["FakeClock", "FlakyLeases", "KeepersInHand", "TrickyDriver"]
