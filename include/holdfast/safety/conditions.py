"""What a guard watches, worked out from the suite; plain data that travels through Airflow."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from holdfast.model.indicator import Question
from holdfast.model.quantities import Bound, BurnCondition, Stop, StopCondition
from holdfast.model.suite import Experiment, Objective, OnNoData, Suite
from holdfast.safety.meter import Allowed


class Condition(BaseModel):
    """One objective under guard: it must hold before the fault; `stop` ends the fault.

    `over` asks for the objective's value over each window of a burn rate. `key` tells several
    conditions of one objective apart in the guard's memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    key: str
    query: Question
    objective: Bound
    stop: Stop
    over: tuple[str, ...] = ()
    tolerated: bool = False
    """Whether the experiment's `stop_on` takes the place of the objective's own bound."""

    @property
    def questions(self) -> tuple[Question, ...]:
        """All that must be asked to judge it."""
        return (self.query, *self.over)


class Watch(BaseModel):
    """One guard's whole task; times in seconds.

    `hold_without_data` is the suite's `on_no_data: hold`: missing data does not end a fault that
    has begun. `after` is the experiment whose fault must be on before this one's may begin. A
    sample of Prometheus that is older than `max_age` is no data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lease_id: str
    conditions: tuple[Condition, ...]
    poll: float
    grace: float
    lease: float
    max_age: float | None = None
    hold_without_data: bool = False
    after: str = ""
    allowed: Allowed | None = None


def conditions(suite: Suite, experiment: Experiment) -> tuple[Condition, ...]:
    """Each objective of the suite, with the experiment's `stop_on` where it names one."""
    return tuple(
        condition for objective in suite.objectives
        for condition in _conditions(objective, experiment.stop_on.get(objective.name, ()))
    )


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
        max_age=guard.oldest.total_seconds(),
        hold_without_data=guard.on_no_data is OnNoData.HOLD,
        after=experiment.fault.after or "",
        allowed=allowed,
    )


def _conditions(objective: Objective, stop_on: Sequence[Stop]) -> Iterator[Condition]:
    own = StopCondition(bound=objective.objective.opposite)
    for stop in stop_on or (own,):
        windows = stop.windows if isinstance(stop, BurnCondition) else ()
        yield Condition(
            name=objective.name,
            key=objective.name if len(stop_on) < 2 else f"{objective.name} {stop}",
            query=objective.indicator.question(),
            objective=objective.objective,
            stop=stop,
            over=tuple(objective.indicator.over(window) for window in windows),
            tolerated=bool(stop_on),
        )
