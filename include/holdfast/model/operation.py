"""Operations of a workload as its own log tells them. Standard library only."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: invoked, then ok, fail (did not happen) or info (nobody knows).

    Times are CLOCK_BOOTTIME seconds; `intended` is when it should have been sent, and latency
    counts from there. `value` is the key it wrote, where it wrote one.
    """

    index: int
    process: int
    f: str
    value: object
    intended: float
    invoked: float
    completed: float | None
    outcome: Literal["ok", "fail", "info"]
    error: str = ""
