"""What a fault is, what it hits, and how it is undone.

Standard library only: the keeper loads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Literal


class Effect(Enum):
    """How a fault ends (DESIGN: life of a fault)."""

    HELD = "held"
    ONE_SHOT = "one_shot"
    IRREVERSIBLE = "irreversible"


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter of a driver or a judge: a duration and its bounds are seconds, a ratio is 0..1.

    One that is `required` has no default.
    """

    kind: Literal["duration", "ratio", "integer", "flag", "text"]
    default: float | int | bool | str | None
    meaning: str
    low: float | None = None
    high: float | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that would be hit; `share` is its part of the service's instances, 0..1.

    `role` is what it is hit for where the name may change meanwhile: after a fail-over the
    `primary` has another.
    """

    name: str
    service: str
    share: float
    role: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as a driver gets it: settings checked, the service's selector beside it.

    `selector` maps the kind of address to a pattern or a connection id (`process`, `postgres`,
    `proxy`, `http`). Connection ids resolve in `<home>/connections.json`; patterns below `home`.
    """

    type: str
    service: str
    selector: Mapping[str, str]
    home: str
    duration: timedelta
    delay: timedelta = timedelta(0)
    params: Mapping[str, float | int | bool | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that inject, revert and residue need, as plain data without secrets."""

    lease_id: str
    fault_type: str
    undo: Mapping[str, object]
