"""What is meant to keep a service up while something is broken."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from holdfast.model.quantities import Filled, Frozen, Name


class MechanismState(StrEnum):
    """What was seen of a mechanism while a fault was on."""

    WORKING = "WORKING"
    PARTIAL = "PARTIAL"
    BROKEN = "BROKEN"
    NOT_VALIDATED = "NOT VALIDATED"  # nothing asked it to act, or nobody could see whether it did


class Criticality(StrEnum):
    """How much depends on a mechanism: the risk of being without it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


def risk(state: MechanismState, criticality: Criticality) -> Criticality:
    """How much is at stake: low for what works, all of it for what is broken.

    What works in part, or was never seen to, counts one step lower than if it were broken.
    """
    steps = list(Criticality)
    if state is MechanismState.WORKING:
        return Criticality.LOW
    if state is MechanismState.BROKEN:
        return criticality
    return steps[max(0, steps.index(criticality) - 1)]


class MechanismSpec(Frozen):
    """A mechanism, and where it can be seen at work."""

    type: str
    description: str = ""
    criticality: Criticality = Criticality.HIGH
    indicators: dict[str, Filled] = Field(
        default_factory=dict, description="PromQL by the name the mechanism's type gives it"
    )
    history: Name | None = Field(None, description="the workload's log it is judged by")
    params: dict[str, Any] = Field(default_factory=dict)
