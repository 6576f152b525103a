"""Outcomes of checks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Verdict(IntEnum):
    """Outcome of a check; the worst of several wins."""

    HELD = 0
    UNKNOWN = 1
    BROKEN = 2

    @classmethod
    def worst(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """Join verdicts; with nothing checked, nothing is known."""
        return max(verdicts, default=cls.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: `name` says what, `text` what was seen in one plain sentence.

    `experiment` is empty for what concerns the whole run. `measured` holds figures by name, the
    unit in the name where it is not a count (`recovery_seconds`).
    """

    name: str
    verdict: Verdict
    text: str
    experiment: str = ""
    measured: Mapping[str, object] = field(default_factory=dict)
