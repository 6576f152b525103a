"""Leases, journals and keepers in memory, with the stores' rules."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from holdfast.errors import EvidenceError, Postponed
from holdfast.model.fault import Fault, Recipe
from holdfast.model.lease import MOVES, Environment, Lease, LeaseState, Reason, Renewal, Revocation
from holdfast.ports.leases import Line


@dataclass
class MemoryLeases:
    """A LeaseStore that forgets everything at the end of the test."""

    rows: dict[str, Lease] = field(default_factory=dict)
    places: dict[str, Environment] = field(default_factory=dict)
    held: str = ""

    def lock(self, environment: str, run_id: str) -> None:
        there = self.environment(environment)
        self._refuse(there, run_id)
        self.places[environment] = replace(there, locked_by=run_id)

    def unlock(self, environment: str, run_id: str) -> bool:
        there = self.environment(environment)
        if self.leases(environment=environment, open_only=True):
            return False
        if there.locked_by == run_id:
            self.places[environment] = replace(there, locked_by="")
        return True

    def environment(self, name: str) -> Environment:
        there = self.places.setdefault(name, Environment(name))
        return replace(there, hold=there.hold or self.held)

    def environments(self) -> Sequence[Environment]:
        return [self.environment(name) for name in sorted(self.places)]

    def open(self, lease: Lease) -> Lease:
        there = self.environment(lease.environment)
        self._refuse(there, lease.run_id)
        row = replace(lease, epoch=there.epoch, state=LeaseState.OPENED)
        return self.rows.setdefault(row.id, row)

    def read(self, lease_id: str) -> Lease:
        return self.rows[lease_id]

    def leases(self, *, run_id: str | None = None, environment: str | None = None,
               open_only: bool = False) -> Sequence[Lease]:
        return [
            row for row in self.rows.values()
            if run_id in (None, row.run_id) and environment in (None, row.environment)
            and not (open_only and row.state is LeaseState.CLEAN)
        ]

    def renew(self, renewals: Sequence[Renewal]) -> Mapping[str, Lease]:
        for renewal in renewals:
            row = self.rows[renewal.lease_id]
            if row.revoked is None:
                self._put(row, counter=row.counter + 1, breach_since=dict(renewal.breach_since))
        return {r.lease_id: self.rows[r.lease_id] for r in renewals}

    def revoke(self, lease_id: str, revocation: Revocation) -> bool:
        row = self.rows[lease_id]
        first = row.revoked is None
        for other in list(self.rows.values()):
            if (other.run_id, other.round) == (row.run_id, row.round) and other.revoked is None:
                reason = revocation.reason if other.id == lease_id else Reason.ROUND
                self._put(other, revoked=replace(revocation, reason=reason))
        return first

    def move(self, lease_id: str, state: LeaseState, **facts: object) -> bool:
        row = self.rows[lease_id]
        if state not in MOVES[row.state]:
            return False
        self._put(row, state=state, **facts)
        return True

    def begin_injection(self, lease_id: str) -> str:
        row = self.rows[lease_id]
        there = self.environment(row.environment)
        if row.revoked:
            return f"revoked: {row.revoked.reason}"
        if there.epoch != row.epoch:
            return "the environment was stopped since arm"
        if there.hold:
            return f"the environment is held: {there.hold}"
        return "" if self.move(lease_id, LeaseState.INJECTING) else f"the lease is {row.state}"

    def beat(self, lease_id: str) -> None:
        self._put(self.rows[lease_id], beat=self.rows[lease_id].beat + 1)

    def stop(self, revocation: Revocation, *, run_id: str | None = None,
             hold: str = "") -> Sequence[str]:
        stopped = self.leases(run_id=run_id, open_only=True)
        names = {row.environment for row in stopped}
        names |= {e.name for e in self.places.values() if run_id in (None, e.locked_by)}
        if run_id is None:
            self.held = hold or self.held
        for name in names:
            there = self.environment(name)
            self.places[name] = replace(there, epoch=there.epoch + 1, hold=hold or there.hold)
        for row in stopped:
            if row.revoked is None:
                self._put(row, revoked=revocation)
        return [row.id for row in stopped]

    def release(self, environment: str) -> None:
        if environment:
            self.places[environment] = replace(self.places[environment], hold="")
        else:
            self.held = ""

    def _put(self, row: Lease, **changes: object) -> None:
        self.rows[row.id] = replace(row, **changes)  # type: ignore[arg-type]

    @staticmethod
    def _refuse(there: Environment, run_id: str) -> None:
        if there.hold:
            raise Postponed(f"environment {there.name} is held: {there.hold}")
        if there.locked_by not in ("", run_id):
            raise Postponed(f"environment {there.name} is busy: run {there.locked_by} has it")


@dataclass
class MemoryJournal:
    """A journal in a list."""

    first: Recipe
    written: list[Line] = field(default_factory=list)
    opened: Lease | None = None

    def write(self, state: LeaseState, **facts: object) -> None:
        at = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
        self.written.append(Line(len(self.written), state, float(len(self.written)), at, facts))

    def lines(self) -> Sequence[Line]:
        return tuple(self.written)

    def recipe(self) -> Recipe:
        return self.first

    def lease(self) -> Lease:
        if self.opened is None:
            raise EvidenceError("the first line has no lease", index=0)
        return self.opened


@dataclass
class MemoryJournals:
    """The journals of a host that does not exist; `claimed` are ids that somebody has locked."""

    written: dict[str, MemoryJournal] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)

    def create(self, lease: Lease, fault: Fault, recipe: Recipe) -> MemoryJournal:
        journal = MemoryJournal(recipe, opened=lease)
        journal.write(LeaseState.OPENED, fault_type=fault.type, undo=dict(recipe.undo))
        self.written[lease.id] = journal
        return journal

    def open(self, lease_id: str) -> MemoryJournal:
        return self.written[lease_id]

    def ids(self) -> Sequence[str]:
        return tuple(self.written)

    @contextmanager
    def claim(self, lease_id: str) -> Iterator[bool]:
        if lease_id in self.claimed:
            yield False
            return
        self.claimed.add(lease_id)
        try:
            yield True
        finally:
            self.claimed.discard(lease_id)


@dataclass
class MemoryKeepers:
    """Keepers that only remember being started and killed."""

    started: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    alive: set[str] = field(default_factory=set)

    def start(self, lease_id: str) -> None:
        self.started.append(lease_id)
        self.alive.add(lease_id)

    def is_alive(self, lease_id: str) -> bool:
        return lease_id in self.alive

    def end(self, lease_id: str) -> None:
        self.alive.discard(lease_id)

    def kill(self, lease_id: str) -> None:
        self.killed.append(lease_id)
        self.alive.discard(lease_id)
