"""Watch a target as the guard of a fault would, without a fault: nothing is touched or stored."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from holdfast.clock import Clock
from holdfast.model.indicator import Question
from holdfast.model.lease import Lease, LeaseState, Reason, Renewal, Revocation
from holdfast.ports.desk import TooLate
from holdfast.ports.metrics import LiveMetrics, Sample
from holdfast.safety.conditions import Watch
from holdfast.steps.watch import watch

Told = Callable[[str, Revocation], None]
"""Hears at once that the fault of this name would have been ended, or not begun."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A time without a fault to be: why, since when (ISO 8601), and how many looks it lasted."""

    reason: Reason
    text: str
    at: str
    looks: int = 1


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What one guard did; seconds. No `widest_gap` means that it never renewed twice."""

    name: str
    lease_seconds: float
    renewals: int
    widest_gap: float | None
    spells: Sequence[Spell] = ()

    @property
    def margin(self) -> float | None:
        """What was left of the lease at the widest gap between two renewals."""
        return None if self.widest_gap is None else self.lease_seconds - self.widest_gap

    @property
    def ended(self) -> Sequence[Spell]:
        """When a fault that was on would have been ended."""
        return [spell for spell in self.spells if spell.reason is not Reason.NOT_STEADY]


async def rehearse(
    tasks: Mapping[str, Watch], metrics: LiveMetrics, clock: Clock, tell: Told,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> list[Rehearsal]:
    """Run the real guard for each task side by side until cancelled; then say what was seen.

    A guard that ends its fault begins anew, as the next fault would.
    """
    desks = {name: _Desk(name, task, clock, tell) for name, task in tasks.items()}

    async def again(name: str) -> None:
        while True:
            desks[name].begin()
            await watch(tasks[name], desks[name], metrics, clock, sleep)
            await sleep(tasks[name].poll)

    with suppress(asyncio.CancelledError):  # the end that was asked for
        await asyncio.gather(*map(again, tasks))
    return [desk.seen() for desk in desks.values()]


@dataclass
class _Desk:
    """The lease of a fault that is not there, in memory; its keeper is always alive."""

    name: str
    task: Watch
    clock: Clock
    tell: Told
    lease: Lease = field(init=False)
    renewed_at: float | None = None
    renewals: int = 0
    widest_gap: float | None = None
    spells: list[Spell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Take a new lease, as for the next fault."""
        self.renewed_at = None
        self.lease = Lease(
            id=self.task.lease_id, run_id="", round=0, experiment=self.name, environment="",
            fault_type="", service="", host="", boot_id="", epoch=0,
            lease_seconds=self.task.lease, duration_seconds=0.0, delay_seconds=0.0, opened_at="",
            state=LeaseState.ACTIVE,
        )

    async def read(self, lease_id: str) -> Lease:  # noqa: ARG002 - there is only one
        """The lease, with a sign of life."""
        return self._keep()

    async def neighbours(self, lease: Lease) -> Sequence[Lease]:  # noqa: ARG002 - has none
        """There are no other faults."""
        return ()

    async def renew(self, renewal: Renewal, not_after: float) -> Lease:
        """Count the renewal, and how long the last one was ago."""
        now = self.clock.boottime()
        if now > not_after:
            raise TooLate("the guard was late by a whole lease")
        if self.renewed_at is not None:
            self.widest_gap = max(self.widest_gap or 0.0, now - self.renewed_at)
        self.renewed_at, self.renewals = now, self.renewals + 1
        return self._keep(renewal)

    async def revoke(
        self, lease_id: str, revocation: Callable[[], Revocation]  # noqa: ARG002 - only one
    ) -> Lease:
        """Write down what would have ended the fault; the same reason again is the same spell."""
        said, lease = revocation(), self._keep()
        last = self.spells[-1] if self.spells else None
        if last is not None and said.reason is Reason.NOT_STEADY is last.reason:
            self.spells[-1] = replace(last, looks=last.looks + 1)
        else:
            self.spells.append(Spell(said.reason, said.text, said.at))
            self.tell(self.name, said)
        self.lease = replace(lease, revoked=said)
        return self.lease

    def seen(self) -> Rehearsal:
        """All of it."""
        return Rehearsal(
            self.name, self.task.lease, self.renewals, self.widest_gap, tuple(self.spells)
        )

    def _keep(self, renewal: Renewal | None = None) -> Lease:
        lease = self.lease
        self.lease = replace(
            lease, beat=lease.beat + 1, counter=lease.counter + (renewal is not None),
            breach_since=lease.breach_since if renewal is None else renewal.breach_since,
        )
        return self.lease


class Overheard:
    """Metrics that remember their latest answers, so that a person can see them too."""

    def __init__(self, metrics: LiveMetrics) -> None:
        self._metrics = metrics
        self.latest: dict[Question, Sample] = {}

    async def now(self, questions: Sequence[Question]) -> Mapping[Question, Sample]:
        """Ask, and remember."""
        answers = await self._metrics.now(questions)
        self.latest |= answers
        return answers
