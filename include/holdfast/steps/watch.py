"""Watch the objectives while a fault is on: renew its lease, or revoke it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from math import floor
from zlib import crc32

from holdfast.clock import Clock
from holdfast.model.indicator import Question
from holdfast.model.lease import Lease, LeaseState, Reason, Renewal, Revocation
from holdfast.ports.desk import LeaseDesk, TooLate
from holdfast.ports.leases import StoreDown
from holdfast.ports.metrics import LiveMetrics, Sample
from holdfast.safety.cascade import turn
from holdfast.safety.conditions import Watch
from holdfast.safety.guard import Decision, Memory, judge
from holdfast.safety.meter import Meter, Policy

_OPEN = (LeaseState.OPENED, LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE)
BEAT_SECONDS = 3.0
CLAIM_SECONDS = 5.0
_log = logging.getLogger("holdfast.guard")


def is_past_active(lease: Lease) -> bool:
    """Whether the keeper has let go of the fault, or never had it."""
    return lease.state not in _OPEN


def is_over(lease: Lease) -> bool:
    """Whether a guard has nothing left to do: revoked, or past active."""
    return lease.revoked is not None or is_past_active(lease)


def questions(task: Watch) -> list[Question]:
    """All that a guard asks at each look, each once."""
    counters = [] if task.allowed is None else task.allowed.queries()
    asked = [question for c in task.conditions for question in c.questions]
    return list(dict.fromkeys([*asked, *counters]))


async def watch(task: Watch, desk: LeaseDesk, metrics: LiveMetrics, clock: Clock,
                sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> Lease:
    """Guard one lease until it is over; give back the row as it then is. KeyError if there is none.

    Safe to run twice at once: a renewal only raises a counter, a revocation is final. Store errors
    and missing data never end it by themselves: without renewals the keeper ends the fault.
    """
    guard = _Guard(task, desk, metrics, clock)
    while (lease := await guard.tick()) is None or not is_over(lease):
        await sleep(guard.pause())
    _log.info("lease %s is over: %s%s", lease.id, lease.state,
              f", revoked ({lease.revoked.reason}): {lease.revoked.text}" if lease.revoked else "")
    return lease


@dataclass
class _Guard:
    task: Watch
    desk: LeaseDesk
    metrics: LiveMetrics
    clock: Clock
    lease: Lease | None = None
    memory: Memory = field(default_factory=lambda: Memory(steady=False, data_at={}))
    renewed_at: float = 0.0
    beat_at: float = 0.0
    trouble: str = ""
    final: tuple[Decision, float] | None = None
    policy: Policy = field(init=False)
    meter: Meter | None = None

    def __post_init__(self) -> None:
        task = self.task
        self.policy = Policy(task.grace, task.hold_without_data)
        if task.allowed is not None:
            self.meter = Meter(task.allowed, self.policy, task.lease)

    def pause(self) -> float:
        """Seconds to the next tick. Guards that ask the same tick together, others spread out."""
        poll, now = self.task.poll, self.clock.boottime()
        asked = "\n".join(str(c.query) for c in self.task.conditions)
        phase = crc32(asked.encode()) / 2**32 * poll
        wait = (floor((now - phase) / poll) + 1) * poll + phase - now
        return wait if wait > poll / 4 else wait + poll  # a timer may wake a little early

    async def tick(self) -> Lease | None:
        """Sample, judge, renew or revoke. None if the store did not answer."""
        try:
            if self.lease is None:
                self._begin(await self.desk.read(self.task.lease_id))
            if self.lease is None or is_over(self.lease):
                return self.lease
            self._seen(await self._wait() or await self._act())
        except StoreDown as error:
            self._missed(f"the store did not answer: {error}")
        except TooLate as error:
            self._missed(str(error))
        else:
            self.trouble = ""
            return self.lease
        return None

    def _begin(self, lease: Lease) -> None:
        now = self.clock.boottime()
        self.lease, self.renewed_at, self.beat_at = lease, now, now
        self.memory = Memory(
            steady=lease.counter > 0,
            data_at=dict.fromkeys((c.key for c in self.task.conditions), now),
            breach_since=dict(lease.breach_since),
        )

    async def _act(self) -> Lease:
        if self.final is not None:  # the store failed before: a decision to end is not taken back
            return await self._revoke(*self.final)
        asked_at = self.clock.boottime()
        samples = await self.metrics.now(questions(self.task))
        now = self.clock.boottime()
        if self.memory.steady and now - self.renewed_at > self.task.lease:
            return await self._come_back(now)
        if now - asked_at > self.task.grace:  # stopped in between: an old answer decides nothing
            return await self._check_keeper(await self.desk.read(self.task.lease_id))
        memory = replace(self.memory, steady=self.memory.steady or await self._round_is_on())
        decision = judge(self.task.conditions, samples, memory, now, self.policy)
        decision = self._within_limits(decision, samples, now)
        self.memory = replace(decision.memory, steady=self.memory.steady)
        has_data = all(sample.value is not None for sample in samples.values())
        if decision.go and (has_data or self.memory.steady):
            return await self._renew(now)
        if decision.reason is not None:
            return await self._revoke(decision, now)
        return await self._check_keeper(await self.desk.read(self.task.lease_id))

    def _within_limits(
        self, decision: Decision, samples: Mapping[Question, Sample], now: float
    ) -> Decision:
        """End the fault too when it has cost or hit all it may; an objective's breach says more."""
        if self.meter is None or self.lease is None:
            return decision
        limit = self.meter.look(samples, self.lease, now)
        if limit is None or decision.reason is not None:
            return decision
        reading = {**decision.reading, **limit.reading}
        return Decision(False, decision.memory, limit.reason, limit.text, reading)

    async def _wait(self) -> Lease | None:
        """The lease while the fault that it follows is not on; None when its turn has come.

        Nothing is judged meanwhile: the other's guard does, and ends the whole round.
        """
        if not self.task.after or self.memory.steady or self.final or self.lease is None:
            return None
        order = turn(self.task.after, await self.desk.neighbours(self.lease))
        now = self.clock.boottime()
        self.memory = replace(self.memory, data_at=dict.fromkeys(self.memory.data_at, now))
        if order.has_come:
            return None
        if order.never:
            return await self._revoke(Decision(False, self.memory, Reason.CLOSED, order.never), now)
        return await self._check_keeper(await self.desk.read(self.task.lease_id))

    async def _round_is_on(self) -> bool:
        """Whether a fault beside this one may be on: then only the stop conditions count."""
        if self.lease is None:
            return False
        beside = await self.desk.neighbours(self.lease)
        return any(b.counter > 0 and b.state is not LeaseState.CLEAN for b in beside)

    async def _renew(self, now: float) -> Lease:
        last = self.renewed_at if self.memory.steady else now
        renewal = Renewal(self.task.lease_id, self.memory.breach_since)
        lease = await self.desk.renew(renewal, last + self.task.lease)
        self.renewed_at = self.clock.boottime()
        self.memory = replace(self.memory, steady=True)
        return await self._check_keeper(lease)

    async def _come_back(self, now: float) -> Lease:
        """After an absence longer than the lease: believe the store, and never renew again."""
        lease = await self.desk.read(self.task.lease_id)
        if is_over(lease):
            return lease
        why = self.trouble or "it was stopped or its loop was blocked"
        text = (f"the guard had not renewed for {now - self.renewed_at:.1f} s, longer than the "
                f"lease of {self.task.lease:g} s: {why}")
        return await self._revoke(Decision(False, self.memory, Reason.NO_DATA, text), now)

    async def _check_keeper(self, lease: Lease) -> Lease:
        now = self.clock.boottime()
        limit = CLAIM_SECONDS if lease.state is LeaseState.OPENED else BEAT_SECONDS
        if is_over(lease) or self.lease is None or lease.beat != self.lease.beat:
            return lease
        if now - self.beat_at <= limit:
            return lease
        text = f"the keeper gave no sign of life for {now - self.beat_at:.1f} s"
        return await self._revoke(Decision(False, self.memory, Reason.KEEPER_SILENT, text), now)

    async def _revoke(self, decision: Decision, since: float) -> Lease:
        """Revoke; `spent_ms` runs from the answer that decided it to the store's transaction."""
        self.final = (decision, since)

        def revocation() -> Revocation:
            return Revocation(
                reason=decision.reason or Reason.CLOSED,
                text=decision.text,
                by="guard",
                at=self.clock.now().isoformat(),
                reading=decision.reading,
                spent_ms=round((self.clock.boottime() - since) * 1000, 1),
            )
        return await self.desk.revoke(self.task.lease_id, revocation)

    def _seen(self, lease: Lease) -> None:
        if self.lease is None or lease.beat != self.lease.beat or lease.state != self.lease.state:
            self.beat_at = self.clock.boottime()
        self.lease = lease

    def _missed(self, trouble: str) -> None:
        if not self.trouble:
            _log.warning("lease %s: %s; trying again", self.task.lease_id, trouble)
        self.trouble, self.beat_at = trouble, self.clock.boottime()
