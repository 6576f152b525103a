"""Operations of a workload as its own log tells them. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: invoked, then ok, fail (did not happen) or info (nobody knows).

    Times are CLOCK_BOOTTIME seconds; `intended` is when it should have been sent, and latency
    counts from there. `value` is the key it wrote, where it wrote one, or a mapping with that
    `key` and what else was written.
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

    @property
    def key(self) -> str:
        """The key it wrote."""
        value = self.value
        return str(value.get("key") if isinstance(value, Mapping) else value)
