"""What a fault has cost and whom it has hit so far, and when that is enough. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil

from pydantic import BaseModel, ConfigDict

from holdfast.model.allowance import BudgetSpec
from holdfast.model.indicator import Question
from holdfast.model.lease import Lease, LeaseState, Reason
from holdfast.ports.metrics import Sample
from holdfast.safety.traffic import rises

_ON = (LeaseState.INJECTING, LeaseState.ACTIVE)
_LEAST_SECONDS = 2.0
"""A rate is reckoned over at least this long: a counter is scraped once a second."""


class Purse(BaseModel):
    """What was set aside for one fault, and what things cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reserved: Decimal
    budget: BudgetSpec


class Allowed(BaseModel):
    """How far a fault may go; plain data that travels through Airflow.

    `requests_then` and `hit_then` are the counters' series when the guard was asked for: one that
    was moved while the fault is on counts from there. `before` is the run's requests until then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: str = ""
    hit: str = ""
    requests_then: Mapping[str, float] | None = None
    hit_then: Mapping[str, float] | None = None
    before: float = 0.0
    traffic: float = 1.0
    purse: Purse | None = None

    def queries(self) -> list[str]:
        """The counters that must be read."""
        return [query for query in (self.requests, self.hit) if query]


@dataclass(frozen=True, slots=True)
class Policy:
    """For how long data may be missing, and whether that ends a fault that is on."""

    grace: float
    hold_without_data: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """Why the fault must end."""

    reason: Reason
    text: str
    reading: Mapping[str, object] = field(default_factory=dict)


@dataclass
class _Count:
    """One counter as a guard has seen it, by series."""

    then: Mapping[str, float] | None
    last: Mapping[str, float] | None = None
    seen_at: float | None = None
    total: float = 0.0  # since the guard began, or was asked for
    fault: float = 0.0  # since the fault is on
    why: str = ""

    def look(self, sample: Sample, now: float, *, is_on: bool) -> None:
        """Take a reading in."""
        self.why = "" if sample.each else sample.why
        if self.seen_at is None:
            self.seen_at = now
        if not sample.each:
            return
        is_first, known = self.last is None, self.then if self.last is None else self.last
        more = 0.0 if known is None else rises(known, sample.each)
        self.last, self.seen_at = {**(known or {}), **sample.each}, now
        self.total += more
        if is_on:
            self.fault += more
        else:  # only the latest step, since the fault may begin in the middle of it
            self.fault = 0.0 if is_first else more

    def missing(self, now: float) -> float:
        """Seconds since it was last read; none if it was read just now."""
        return now - (now if self.seen_at is None or not self.why else self.seen_at)


class Meter:
    """Counts one fault's requests and time. `lease_seconds` is the longest it outlives its guard.

    What the present rate would cost in that time is kept back for the end: when all else is used
    up the fault ends, so that it never costs more than was set aside. While a counter cannot be
    read, requests count as the most there may be.
    """

    def __init__(self, allowed: Allowed, policy: Policy, lease_seconds: float) -> None:
        self._allowed, self._policy, self._tail = allowed, policy, lease_seconds
        self._requests = _Count(allowed.requests_then)
        self._hit = _Count(allowed.hit_then)

    def look(self, samples: Mapping[Question, Sample], lease: Lease, now: float) -> Limit | None:
        """Take one set of samples in; say if the fault must end, or may not begin."""
        is_on = lease.injected_at is not None or lease.state in _ON
        for query, count in self._counts():
            count.look(samples.get(query, Sample(None, 0.0, "not asked")), now, is_on=is_on)
        seconds = _seconds(lease, now)
        return self._silence(now, is_on=is_on) or self._too_many(is_on=is_on) or self._used_up(
            seconds, now, is_on=is_on
        )

    def _counts(self) -> list[tuple[str, _Count]]:
        own = ((self._allowed.requests, self._requests), (self._allowed.hit, self._hit))
        return [(query, count) for query, count in own if query]

    def _silence(self, now: float, *, is_on: bool) -> Limit | None:
        if is_on and self._policy.hold_without_data:
            return None
        for name, (query, count) in zip(("requests", "requests hit"), self._counts(), strict=False):
            gone = count.missing(now)
            if gone > self._policy.grace:
                text = f"no data for the {name} for {gone:.1f} s: {count.why}"
                return Limit(Reason.NO_DATA, text, {"query": query})
        return None

    def _too_many(self, *, is_on: bool) -> Limit | None:
        whole, hit = self._allowed.before + self._requests.total, self._hit.fault
        if not is_on or not whole or hit / whole <= self._allowed.traffic:
            return None
        share = hit / whole
        text = (f"blast radius: {hit:.0f} of {whole:.0f} requests of the run were hit "
                f"({share * 100:.3g}%), {self._allowed.traffic * 100:.3g}% allowed")
        return Limit(Reason.BREACH, text, {"hit": hit, "requests": whole, "share": share})

    def _used_up(self, seconds: float, now: float, *, is_on: bool) -> Limit | None:
        purse = self._allowed.purse
        if purse is None or (not is_on and purse.reserved):
            return None
        unseen = self._requests.missing(now) * purse.budget.most_requests_per_second
        requests = self._requests.fault + unseen if is_on else 0.0
        rate = requests / max(seconds, _LEAST_SECONDS)
        cost = purse.budget.cost(ceil(requests), seconds)
        kept = purse.budget.cost(ceil(rate * self._tail), self._tail) if is_on else Decimal(0)
        if cost + kept < purse.reserved:
            return None
        money = purse.budget.currency
        text = (f"{requests:.0f} requests and {seconds:.1f} s have cost {cost:f} of the "
                f"{purse.reserved:f} {money} that were reserved, and ending it may cost {kept:f}")
        return Limit(Reason.BUDGET, text, {
            "cost": f"{cost:f}", "kept_back": f"{kept:f}", "reserved": f"{purse.reserved:f}",
            "currency": money, "requests": ceil(requests),
        })


def _seconds(lease: Lease, now: float) -> float:
    """How long the fault has been on; at most as long as it may be, whatever a clock says."""
    if lease.injected_at is None:
        return 0.0
    longest = lease.duration_seconds + lease.lease_seconds
    passed = now - lease.injected_at
    return passed if 0.0 <= passed <= longest else longest
