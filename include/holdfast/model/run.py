"""A run of a suite, and what is written about it while it goes on. Standard library only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.model.verdict import Verdict


def run_id(suite: str, airflow_run_id: str) -> str:
    """Name a run so that the name is safe in file names and addresses."""
    return f"{suite}--{re.sub(r'[^A-Za-z0-9_-]', '_', airflow_run_id)}"


class RunState(StrEnum):
    """How far a run has come."""

    STARTED = "started"
    POSTPONED = "postponed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `id` is `<suite>--<slug of Airflow's run id>`; times are ISO 8601 in UTC.

    `start_boottime` is CLOCK_BOOTTIME seconds at the start: histories are cut there.
    """

    id: str
    suite: str
    environment: str
    triggered_by: str
    plan_digest: str
    started_at: str
    start_boottime: float
    state: RunState = RunState.STARTED
    verdict: Verdict | None = None
    reason: str = ""
    ended_at: str = ""

    @property
    def standing(self) -> str:
        """The verdict's name, or how far the run has come when it has none."""
        return self.state.value if self.verdict is None else self.verdict.name


class EntryKind(StrEnum):
    """What an entry of a run's book is about."""

    SUITE = "suite"  # the suite as validated, choices applied
    PLAN = "plan"
    IMPACT = "impact"  # what the plan puts at stake, with its parts
    WAIT = "wait"  # a try that was postponed, and when the next one is
    STOP = "stop"  # a person stopped it
    APPROVAL = "approval"  # a person was asked to approve the plan, has answered, or took it back
    RESERVED = "reserved"      # the environment was taken, at which epoch
    BASELINE = "baseline"  # value of each objective before the first fault
    HEALTH = "health"  # the health score before the first fault, with its parts
    SNAPSHOT = "snapshot"  # the data before the first fault, by consistency check
    STEADY = "steady"
    LEASE = "lease"  # a lease was opened for an experiment
    RECOVERY = "recovery"  # detection and recovery of one experiment
    FINDING = "finding"  # a Finding
    SPEND = "spend"  # what the run had reserved, has spent and has given back
    SCORE = "score"  # the resilience score over its window, with its parts
    ARTEFACT = "artefact"  # an Artefact
    NOTICE = "notice"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a run's book, append-only.

    A task that runs again writes again: of entries with the same kind, experiment and name the
    latest counts.
    """

    run_id: str
    kind: EntryKind
    name: str
    data: Mapping[str, object]
    experiment: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file a run leaves behind.

    `digest` is `sha256:<hex>`, `path` relative to the artefact store.
    """

    name: str
    digest: str
    size: int
    media_type: str
    path: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person is told: kind is residue, abort, broken, postponed, approval."""

    kind: str
    run_id: str
    suite: str
    text: str
    data: Mapping[str, object] = field(default_factory=dict)
