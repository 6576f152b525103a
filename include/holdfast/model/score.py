"""The resilience score, its parts, and what it is worked out from. Standard library only."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Tried:
    """One fault that was injected in the window, and what the service made of it.

    `repair_seconds` is None when nobody felt the fault, or when the repair was never seen.
    `alone` says that it was well again within its bound and no person or janitor had to step in.
    """

    run_id: str
    experiment: str
    verdict: Verdict
    felt: bool
    recovered: bool
    alone: bool
    repair_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the objectives showed in the window.

    `available` is the mean share of good requests, `promised` the share that the suite promises,
    both 0 to 1 and None when not known; `available_hours` is how long there was data of it.
    `quiet_hours` is how long the objectives were seen while no run went on, `failures` says when
    one of them did not hold then. `trouble` is why there is no data, where that is known.
    """

    available: float | None = None
    promised: float | None = None
    available_hours: float = 0.0
    quiet_hours: float = 0.0
    failures: Sequence[str] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score: 0 (bad) to 1 (on target), None when nothing was measured."""

    name: str
    weight: float
    value: float | None
    text: str
    runs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The score from 0 to 1, or None when there is nothing to reckon it from; `text` explains."""

    value: float | None
    text: str
    window_days: int
    runs: Sequence[str]
    parts: Sequence[Part]
