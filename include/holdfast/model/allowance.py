"""What a run may cost, whom it may hit, and how well the target must be before."""

from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from zoneinfo import ZoneInfo

from pydantic import Field

from holdfast.model.ledger import as_amount, millionths
from holdfast.model.quantities import Amount, Filled, Frozen, Name, Ratio


class BudgetSpec(Frozen):
    """Money limits: the worst case is reserved before a run, what was spent is settled after it.

    A request counts while a fault is on; a fault costs by the minute too.
    """

    per_experiment: Amount = Decimal(100)
    per_day: Amount = Decimal(500)
    time_zone: str = Field("UTC", description="where a day begins")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$")
    per_request: Amount = Decimal("0.001")
    per_fault_minute: Amount = Decimal(0)
    most_requests_per_second: int = Field(
        ge=1, le=1_000_000, strict=True, description="what the worst case is reckoned with"
    )

    def day(self, now: datetime) -> str:
        """The date of now, on which money is set aside; borders are those of the time zone."""
        return now.astimezone(ZoneInfo(self.time_zone)).date().isoformat()

    def cost(self, requests: int, seconds: float) -> Decimal:
        """What requests cost, and a fault that is on for so long; up to the next millionth."""
        minutes = Decimal(ceil(seconds * 1000)) / 60_000
        exact = requests * self.per_request + minutes * self.per_fault_minute
        return as_amount(millionths(exact))

    def worst(self, time: timedelta) -> Decimal:
        """The most that a fault of this length may cost."""
        seconds = time.total_seconds()
        return self.cost(ceil(seconds * self.most_requests_per_second), seconds)


class Traffic(Frozen):
    """The requests of the target's users, as counters that only rise; each series by itself."""

    requests: Filled = Field(description="PromQL of a counter: all requests until now")
    hit: Filled = Field(description="PromQL of a counter: those that failed or took too long")


class BlastRadius(Frozen):
    """How much of the target an experiment may hit."""

    instances: Ratio = Field(0.1, description="of a service's instances, by the plan")
    traffic: Ratio = Field(0.05, description="of all requests of the run, as they are counted")


class OwnRadius(Frozen):
    """What an experiment may hit where that is not what the suite says."""

    instances: Ratio | None = Field(None, description="of a service's instances, by the plan")
    traffic: Ratio | None = Field(None, description="of all requests of the run")

    def within(self, whole: BlastRadius) -> BlastRadius:
        """The suite's bounds with the experiment's own in their place."""
        own = {name: value for name, value in self if value is not None}
        return whole.model_copy(update=own)


class HealthPart(Frozen):
    """One part of the health score: a query that gives 0 (ill) to 1 (well)."""

    prometheus: Filled
    weight: float = Field(1.0, gt=0, le=100, strict=True)


class HealthSpec(Frozen):
    """How well the target must be before a run; below the limit the run is postponed."""

    limit: Ratio = 0.8
    parts: dict[Name, HealthPart] = Field(
        default_factory=dict, description="beside the objectives, which always count"
    )
