"""A small world for guards: time, a Prometheus, a store and a keeper that only a test moves."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.model.lease import End, Lease, LeaseState, Renewal, Revocation
from holdfast.model.suite import Suite
from holdfast.ports.desk import TooLate
from holdfast.ports.leases import StoreDown
from holdfast.ports.metrics import Sample
from holdfast.safety.conditions import Condition, Watch, watch_of
from holdfast.steps.watch import watch
from support.memory_leases import MemoryLeases
from support.ports import START, FakeClock

EPOCH = START.timestamp()


def a_suite(**changes: object) -> Suite:
    """A suite with two objectives and one experiment that tolerates errors for a while."""
    return Suite.model_validate({
        "apiVersion": "holdfast/v1", "kind": "Suite",
        "metadata": {"name": "shop", "owner": "team"},
        "target": {"environment": "demo", "services": {"api": {"process": "api.pid"}}},
        "objectives": [
            {"name": "latency-p95", "indicator": {"prometheus": "p95"}, "objective": "< 500ms"},
            {"name": "errors", "indicator": {"prometheus": "errors"}, "objective": "< 1%"},
        ],
        "rounds": [{"experiments": [{
            "name": "hang", "hypothesis": "it goes on",
            "fault": {"type": "noop", "target": "api", "duration": "8s"},
            "stop_on": {"errors": "> 60% for 6s"},
        }]}],
    } | changes)


def a_watch(lease_id: str = "lease", **changes: object) -> Watch:
    """The guard's task for the suite's experiment."""
    suite = a_suite()
    watched = watch_of(suite, suite.rounds[0].experiments[0], lease_id)
    return watched.model_copy(update=changes)


def conditions() -> tuple[Condition, ...]:
    """Latency ends the fault at once above its objective, errors above 60 % for 6 s."""
    return a_watch().conditions


def a_lease(lease_id: str = "lease", **changes: object) -> Lease:
    """A lease as `arm` opens it."""
    facts: dict[str, object] = {
        "run_id": "run", "round": 0, "experiment": "hang", "environment": "demo",
        "fault_type": "noop", "service": "api", "host": "here", "boot_id": "b", "epoch": 0,
        "lease_seconds": 5.0, "duration_seconds": 8.0, "delay_seconds": 0.0, "opened_at": "",
    }
    return Lease(id=lease_id, **(facts | changes))  # type: ignore[arg-type]


@dataclass
class Keeper:
    """What the guard sees of a keeper: it beats, injects on a rise, ends by duration or silence."""

    leases: MemoryLeases
    lease_id: str = "lease"
    dead: bool = False
    _counter: int = 0
    _risen_at: float = 0.0

    def live(self, now: float) -> None:
        """One turn of its loop."""
        row = self.leases.rows[self.lease_id]
        if self.dead:
            return
        self.leases.beat(self.lease_id)
        if row.state is LeaseState.OPENED:
            self.leases.move(self.lease_id, LeaseState.ARMED)
        if row.counter > self._counter:
            self._counter, self._risen_at = row.counter, now
        if row.state is LeaseState.ARMED and self._counter and row.revoked is None:
            self.leases.begin_injection(self.lease_id)
            self.leases.move(self.lease_id, LeaseState.ACTIVE, injected_at=now)
        elif row.state is LeaseState.ACTIVE and (why := self._why_end(row, now)):
            self.leases.move(self.lease_id, LeaseState.REVERTING, ended=why, reverted_at=now)

    def _why_end(self, row: Lease, now: float) -> End | None:
        if row.revoked is not None:
            return End.REVOKED
        if now - (row.injected_at or 0.0) >= row.duration_seconds:
            return End.DURATION
        return End.SILENCE if now - self._risen_at > row.lease_seconds else None


@dataclass
class World:
    """Everything around one guard. `at` plans what happens when, in seconds from the start."""

    lease: Lease = field(default_factory=a_lease)
    values: dict[str, float | None] = field(default_factory=lambda: {"p95": 0.2, "errors": 0.0})
    clock: FakeClock = field(default_factory=FakeClock)
    leases: MemoryLeases = field(default_factory=MemoryLeases)
    answer_seconds: float = 0.0
    store_is_down: bool = False
    away: float = 0.0
    asked: int = 0
    renewals: list[float] = field(default_factory=list)
    _plan: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.leases.rows[self.lease.id] = self.lease
        self.keeper = Keeper(self.leases, self.lease.id)

    def at(self, seconds: float, do: Callable[[], None]) -> None:
        """Plan an event."""
        self._plan.append((seconds, do))

    def set(self, **values: float | None) -> Callable[[], None]:
        """An event that changes what Prometheus says."""
        return lambda: self.values.update(values)

    def guard(self, **changes: object) -> Lease:
        """Run one guard to its end and give back what it saw last."""
        return asyncio.run(asyncio.wait_for(self.stand(**changes), 20))

    async def stand(self, **changes: object) -> Lease:
        """The guard as a coroutine."""
        return await watch(a_watch(self.lease.id, **changes), self, self, self.clock, self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Let time pass in steps of 50 ms; all that is planned happens on the way."""
        end = self.clock.passed + seconds
        while self.clock.passed < end - 1e-9:
            self.clock.passed = min(end, self.clock.passed + 0.05)
            for due in [event for event in self._plan if event[0] <= self.clock.passed]:
                self._plan.remove(due)
                due[1]()
            self.keeper.live(self.clock.boottime())
        await asyncio.sleep(0)
        if self.clock.passed > 120:
            raise TimeoutError("the guard does not end")

    async def now(self, queries: Sequence[str]) -> Mapping[str, Sample]:
        """Prometheus."""
        self.asked += 1
        values = dict(self.values)
        await self.sleep(self.answer_seconds + self.away)
        self.away = 0.0
        date = EPOCH + self.clock.passed
        return {q: Sample(values[q], date, "" if values[q] is not None else "no series",
                          {} if values[q] is None else {"": values[q]})
                for q in queries}

    async def read(self, lease_id: str) -> Lease:
        """The desk's."""
        self._check()
        return self.leases.read(lease_id)

    async def neighbours(self, lease: Lease) -> Sequence[Lease]:
        """The desk's."""
        self._check()
        return [row for row in self.leases.rows.values()
                if row.round == lease.round and row.experiment != lease.experiment]

    async def renew(self, renewal: Renewal, not_after: float) -> Lease:
        """The desk's."""
        self._check()
        if self.clock.boottime() > not_after:
            raise TooLate("too late")
        self.renewals.append(self.clock.passed)
        return self.leases.renew([renewal])[renewal.lease_id]

    async def revoke(self, lease_id: str, revocation: Callable[[], Revocation]) -> Lease:
        """The desk's."""
        self._check()
        self.leases.revoke(lease_id, revocation())
        return self.leases.read(lease_id)

    def _check(self) -> None:
        if self.store_is_down:
            raise StoreDown("database is locked")
