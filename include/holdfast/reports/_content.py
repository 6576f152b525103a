"""What a report says, whatever it looks like: one frozen value. Times in ms, dates as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from holdfast.model.score import Score
from holdfast.model.summary import Summary
from holdfast.model.verdict import Verdict

DISCLAIMER = (
    "This report supports evidence for the controls it names. Whether a control is met is for "
    "the reader to judge. Failed runs are evidence too."
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, for the page; `told_in` names the table that says more about it, if one does."""

    name: str
    verdict: Verdict
    text: str
    told_in: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment: what was done, how it ended, what users felt. None means not known."""

    name: str
    hypothesis: str
    fault: str
    verdict: Verdict
    how_it_ended: str
    checks: Sequence[Check] = ()
    active_ms: int | None = None
    detection_ms: int | None = None
    recovery_from_fault_ms: int | None = None
    recovery_from_revert_ms: int | None = None
    operations: int | None = None
    failed: int | None = None
    unsure: int | None = None
    slow: int | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """How the guard and the keeper did on one fault."""

    experiment: str
    decision: str
    reading: str
    renewals: int
    lease_ms: int
    widest_gap_ms: int | None = None
    lease_margin_ms: int | None = None
    guard_ms: int | None = None
    keeper_ms: int | None = None
    abort_ms: int | None = None
    clean_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault was on, in unix seconds."""

    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Chart:
    """An objective over the run: points of unix seconds and value in the author's unit."""

    name: str
    bound: str
    limit: float
    unit: str
    start: float
    end: float
    step: float
    points: Sequence[tuple[float, float]]
    windows: Sequence[Window] = ()
    source: str = ""
    """Where the points come from."""


@dataclass(frozen=True, slots=True)
class File:
    """An artefact of the run."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What of this run is in the evidence log."""

    key_id: str
    records: Sequence[tuple[int, str, str]]
    files: Sequence[File]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What was seen of a mechanism in one experiment, with the figures it was judged by."""

    name: str
    type: str
    experiment: str
    state: str
    verdict: Verdict
    risk: str
    text: str
    figures: Sequence[tuple[str, str]] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Spend:
    """What an experiment, or the run, had reserved, has spent and has given back: decimals."""

    name: str
    reserved: str
    spent: str
    released: str
    currency: str
    requests: str
    fault_seconds: str


@dataclass(frozen=True, slots=True)
class Blast:
    """How many of all requests an experiment hit; shares from 0 to 1."""

    experiment: str
    verdict: Verdict
    text: str
    hit: int | None = None
    requests: int | None = None
    share: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class HealthPart:
    """One part of the health score, 0 (ill) to 1 (well)."""

    name: str
    weight: float
    value: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Health:
    """How well the target was before the first fault, 0 to 1."""

    score: float | None
    limit: float | None
    parts: Sequence[HealthPart]


@dataclass(frozen=True, slots=True)
class Normal:
    """What an objective was like before the first fault, in its author's unit."""

    name: str
    objective: str
    mean: str
    worst: str
    quantiles: str
    earlier_runs: int | None
    drift: str


@dataclass(frozen=True, slots=True)
class Circle:
    """Transactions that fit in no order: in words, and as the witness that a picture is made of."""

    anomaly: str
    text: str
    witness: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """A workload's history that was judged by itself.

    `around` has a fault's name, and how many operations were sent and how many acknowledged before
    it, while it was on, and after it. `examples` has one place of each anomaly that is no circle.
    """

    name: str
    checker: str
    verdict: Verdict
    options: Sequence[tuple[str, str]]
    seen: Sequence[tuple[str, int]]
    around: Sequence[tuple[str, Sequence[tuple[int, int]]]] = ()
    circles: Sequence[Circle] = ()
    examples: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run, told to people."""

    run_id: str
    suite: str
    description: str
    owner: str
    verdict: Verdict
    headline: str
    triggered_by: str
    environment: str
    started_at: str
    ended_at: str
    duration_ms: int
    trials: Sequence[Trial]
    guarded: Sequence[Guarded]
    charts: Sequence[Chart]
    checks: Sequence[Check]
    proof: Proof
    facts: Sequence[tuple[str, str]]
    repeat: Sequence[str]
    controls: Sequence[str]
    summary: Summary
    left_out: Sequence[str] = ()
    mechanisms: Sequence[Mechanism] = ()
    spends: Sequence[Spend] = ()
    day_left: str = ""
    normals: Sequence[Normal] = ()
    health: Health | None = None
    blasts: Sequence[Blast] = ()
    score: Score | None = None
    histories: Sequence[Judged] = ()


def seconds(ms: int | None) -> str:
    """Write a duration for people; a dash when it is not known."""
    if ms is None:
        return "–"
    if ms < 1000:
        return f"{ms} ms"
    if ms < 120_000:
        return f"{ms / 1000:.1f} s"
    return f"{ms // 60_000} min {ms % 60_000 // 1000} s"


def hundredths(value: float | None) -> str:
    """Write a value of 0 to 1 for people, rounded down: only what is whole reads as 1.00."""
    return "–" if value is None else f"{floor(value * 100 + 1e-9) / 100:.2f}"


def percent(share: float | None) -> str:
    """Write a share of 0 to 1 for people; a dash when it is not known."""
    return "–" if share is None else f"{share * 100:.3g} %"
