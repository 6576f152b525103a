"""The lease: the row that guard, keeper, tasks and janitor share. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ARMED_SECONDS = 90.0
"""How long a keeper stays armed without a guard, beside the fault's own delay."""
INJECT_SECONDS = 10.0
"""How long an injection may take."""


class LeaseState(StrEnum):
    """Where a fault's life is; `MOVES` says what may follow."""

    OPENED = "opened"  # the row is there, no keeper has claimed it
    ARMED = "armed"  # a keeper holds it, the target is untouched
    INJECTING = "injecting"  # from here on the target counts as touched
    ACTIVE = "active"
    REVERTING = "reverting"
    CLEAN = "clean"  # no residue, seen by another path; final
    UNCLEAN = "unclean"  # residue was seen
    UNPROVEN = "unproven"  # it could not be looked at


MOVES: Mapping[LeaseState, frozenset[LeaseState]] = {
    LeaseState.OPENED: frozenset({LeaseState.ARMED, LeaseState.CLEAN}),
    LeaseState.ARMED: frozenset({LeaseState.INJECTING, LeaseState.CLEAN}),
    LeaseState.INJECTING: frozenset({LeaseState.ACTIVE, LeaseState.REVERTING}),
    LeaseState.ACTIVE: frozenset({LeaseState.REVERTING}),
    LeaseState.REVERTING: frozenset({LeaseState.CLEAN, LeaseState.UNCLEAN, LeaseState.UNPROVEN}),
    LeaseState.UNCLEAN: frozenset({LeaseState.REVERTING}),
    LeaseState.UNPROVEN: frozenset({LeaseState.REVERTING, LeaseState.CLEAN}),
    LeaseState.CLEAN: frozenset(),
}
TOUCHED = frozenset(LeaseState) - {LeaseState.OPENED, LeaseState.ARMED, LeaseState.CLEAN}


class Reason(StrEnum):
    """Why a lease was revoked."""

    BREACH = "breach"  # an objective did not hold: BROKEN
    NO_DATA = "no_data"  # the guard saw nothing for the grace: UNKNOWN
    NOT_STEADY = "not_steady"  # an objective did not hold before the fault: no fault
    STOPPED = "stopped"  # a person said so: UNKNOWN
    WITHDRAWN = "withdrawn"  # the approval was taken back: UNKNOWN
    BUDGET = "budget"  # what was reserved is used up: UNKNOWN
    KEEPER_SILENT = "keeper_silent"  # the guard saw no life of the keeper
    SUPERSEDED = "superseded"  # a later arm of the same run and target
    CLOSED = "closed"  # the task that watched has ended, or the verdict closes the run
    ROUND = "round"  # another lease of the round was revoked


class End(StrEnum):
    """Why the keeper ended the fault, as the keeper knows it."""

    DURATION = "duration"  # it ran its time
    REVOKED = "revoked"  # somebody revoked the lease
    SILENCE = "silence"  # no renewal was seen for the lease time
    SIGNAL = "signal"  # the keeper got SIGTERM
    CHILD_DIED = "child_died"  # the child died; the parent reverted
    PARENT_DIED = "parent_died"  # the parent died; the child reverted
    FAILED = "failed"  # the injection failed; what it had done was reverted
    REFUSED = "refused"  # epoch or hold had changed; never injected
    EXPIRED = "expired"  # armed for too long; never injected
    ADOPTED = "adopted"  # the keeper was gone; the revert task or the janitor reverted


@dataclass(frozen=True, slots=True)
class Revocation:
    """Final. `reading` is what the one who revoked saw; `spent_ms` its own part of the latency."""

    reason: Reason
    text: str
    by: str
    at: str
    reading: Mapping[str, object] = field(default_factory=dict)
    spent_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A snapshot of one lease row. Times in seconds.

    `counter` counts renewals, `beat` the keeper's signs of life: both only rise. `epoch` is the
    environment's at arm. `breach_since` is the guard's memory: objective to the sample time since
    which it has not held. `widest_gap` is the longest time the keeper, on its own clock, saw no
    renewal while the fault was on; `ended` and `injected_at`, `reverted_at`, `clean_at`
    (CLOCK_BOOTTIME of the keeper's host) are the keeper's.
    """

    id: str
    run_id: str
    round: int
    experiment: str
    environment: str
    fault_type: str
    service: str
    host: str
    boot_id: str
    epoch: int
    lease_seconds: float
    duration_seconds: float
    delay_seconds: float
    opened_at: str
    state: LeaseState = LeaseState.OPENED
    counter: int = 0
    beat: int = 0
    breach_since: Mapping[str, float] = field(default_factory=dict)
    revoked: Revocation | None = None
    ended: End | None = None
    detail: str = ""
    widest_gap: float | None = None
    injected_at: float | None = None
    reverted_at: float | None = None
    clean_at: float | None = None

    @property
    def host_name(self) -> str:
        """The name of the keeper's host; `host` has the mark of its home behind it."""
        return self.host.partition("/")[0]

    @property
    def is_touched(self) -> bool:
        """Whether the fault may have been on, also where its keeper died before it could say so."""
        told = self.injected_at is not None or self.reverted_at is not None
        return told or self.state in TOUCHED


@dataclass(frozen=True, slots=True)
class Renewal:
    """The guard is alive and has decided to go on."""

    lease_id: str
    breach_since: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Environment:
    """What may be done in an environment.

    Its epoch rises at every stop; a hold refuses new faults.
    """

    name: str
    epoch: int = 0
    hold: str = ""
    locked_by: str = ""
