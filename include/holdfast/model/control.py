"""Controls of frameworks, and what evidence there is for them. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from holdfast.model.verdict import Verdict


class Strength(StrEnum):
    """What a run can show of a control at best."""

    DIRECT = "direct"
    PARTIAL = "partial"
    SUPPORTING = "supporting"
    PLATFORM = "platform"
    """The evidence log itself shows it, no run does."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Control:
    """One control, in our own words; `id` is the framework's, `max_age_days` until it is stale."""

    framework: str
    id: str
    title: str
    meaning: str
    fault_or_test: str
    must_show: str
    review: str
    max_age_days: int
    strength: Strength

    @property
    def name(self) -> str:
        """How suites write it: framework and id in lower case."""
        return f"{self.framework}:{self.id}".lower()


@dataclass(frozen=True, slots=True)
class Result:
    """What the signed result of one run says of one service; `controls` by name, lower case."""

    run_id: str
    suite: str
    service: str
    verdict: Verdict
    at: datetime
    record: int
    controls: frozenset[str]


class State(StrEnum):
    """How a control stands; the words of every report, the gravest first."""

    FAILING = "failing"
    STALE = "stale"
    NO_EVIDENCE = "no-evidence"
    PARTIAL = "partial"
    EVIDENCED = "evidenced"
    NOT_EVIDENCEABLE = "not-evidenceable"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one control stands for one service, why, and the numbers of the records that say so."""

    control: Control
    service: str
    state: State
    reason: str
    records: tuple[int, ...] = ()
    due: date | None = None
    """When the newest evidence becomes stale."""


Excluded = Mapping[str, str]
"""Controls that do not apply here, by name, and why."""
