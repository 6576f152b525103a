"""The promise of a consistency checker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from holdfast.model.operation import Operation

NAMED = 3
"""How many keys a sentence names; the rest are in the check's artefact."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker found: doubt is `unknown`, never `valid`.

    `counts` holds figures by name; `anomalies` maps the name of each anomaly to the keys it was
    seen on, in the order of the history.
    """

    outcome: Literal["valid", "invalid", "unknown"]
    text: str
    counts: Mapping[str, int] = field(default_factory=dict)
    anomalies: Mapping[str, Sequence[str]] = field(default_factory=dict)


def first_of(keys: Sequence[str]) -> str:
    """Name three keys at most, for a sentence."""
    more = len(keys) - NAMED
    return ", ".join(keys[:NAMED]) + (f" and {more} more" if more > 0 else "")


class Checker(Protocol):
    """Compare what a workload was told with what is there in the end. Pure."""

    def check(self, history: Sequence[Operation], final: Sequence[object], allowed: int) -> Checked:
        """Judge the writes of a history by all keys read back; up to `allowed` may be lost."""
