"""A run in a few words, for whoever decides what is done about it. Standard library only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from holdfast.model.score import Score
from holdfast.model.verdict import Finding, Verdict


class Level(StrEnum):
    """How high a risk is, or a confidence."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Urgency(StrEnum):
    """When something should be done."""

    NOW = "now"
    MONTH = "within a month"


@dataclass(frozen=True, slots=True)
class Felt:
    """One experiment: its verdict, and what users felt. None means not known."""

    name: str
    verdict: Verdict
    injected: bool
    operations: int | None = None
    failed: int | None = None
    unsure: int | None = None
    slow: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """All that the summary is made from.

    `dirty` are experiments whose fault is not proven gone, `left_out` those the person did not
    choose, `drift` sentences about a baseline unlike earlier ones, `reason` why a run ended early.
    """

    suite: str
    owner: str
    began: date
    postponed: bool
    reason: str
    trials: Sequence[Felt]
    findings: Sequence[Finding]
    dirty: Sequence[str] = ()
    left_out: Sequence[str] = ()
    drift: Sequence[str] = ()
    availability: float | None = None
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, because of something that was seen; `due` is a date, ISO 8601."""

    urgency: Urgency
    text: str
    because: str
    team: str = ""
    due: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """An experiment to come, and what must be there first."""

    name: str
    prerequisite: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a reader with one minute gets. `glance` are figures by name, as text."""

    paragraph: str
    glance: Sequence[tuple[str, str]]
    strengths: Sequence[str]
    weaknesses: Sequence[str]
    actions: Sequence[Action]
    next_experiments: Sequence[Next]
    risk: Level
    risk_because: str
    confidence: Level
    confidence_because: str
    review_on: str
