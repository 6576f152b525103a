"""What a guard watches, worked out from the suite; plain data that travels through Airflow."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from holdfast.model.quantities import Bound, StopCondition
from holdfast.model.suite import Experiment, Objective, OnNoData, Suite
from holdfast.safety.meter import Allowed

_OPPOSITE: dict[str, Literal["<", "<=", ">", ">="]] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Condition(BaseModel):
    """One objective under guard: it must hold before the fault; `stop` ends the fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    query: str
    objective: Bound
    stop: StopCondition
    tolerated: bool = False
    """Whether the experiment's `stop_on` takes the place of the objective's own bound."""


class Watch(BaseModel):
    """One guard's whole task; times in seconds.

    `hold_without_data` is the suite's `on_no_data: hold`: missing data does not end a fault that
    has begun. `after` is the experiment whose fault must be on before this one's may begin.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lease_id: str
    conditions: tuple[Condition, ...]
    poll: float
    grace: float
    lease: float
    hold_without_data: bool = False
    after: str = ""
    allowed: Allowed | None = None


def negated(bound: Bound) -> Bound:
    """The bound that is true exactly where this one is not."""
    return bound.model_copy(update={"op": _OPPOSITE[bound.op]})


def conditions(suite: Suite, experiment: Experiment) -> tuple[Condition, ...]:
    """Each objective of the suite, with the experiment's `stop_on` where it names one."""
    return tuple(_condition(o, experiment.stop_on.get(o.name)) for o in suite.objectives)


def watch_of(
    suite: Suite, experiment: Experiment, lease_id: str, allowed: Allowed | None = None
) -> Watch:
    """The guard's task for one lease; `allowed` is how far the fault may go, where that is said."""
    guard = suite.guard
    return Watch(
        lease_id=lease_id,
        conditions=conditions(suite, experiment),
        poll=guard.poll.total_seconds(),
        grace=guard.grace.total_seconds(),
        lease=guard.lease.total_seconds(),
        hold_without_data=guard.on_no_data is OnNoData.HOLD,
        after=experiment.fault.after or "",
        allowed=allowed,
    )


def _condition(objective: Objective, stop_on: StopCondition | None) -> Condition:
    return Condition(
        name=objective.name,
        query=objective.indicator.prometheus,
        objective=objective.objective,
        stop=stop_on or StopCondition(bound=negated(objective.objective)),
        tolerated=stop_on is not None,
    )
