"""What a run would do, with its targets as they are now: pure data with a digest."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from holdfast.errors import FaultError, SpecError
from holdfast.model.cascade import longest_wait
from holdfast.model.fault import Effect, Fault, Target
from holdfast.model.params import read_params
from holdfast.model.suite import Experiment, Suite
from holdfast.model.workload import WorkloadSpec
from holdfast.plan.limits import too_costly, too_wide
from holdfast.plan.outline import worst_case
from holdfast.plan.stops import stops
from holdfast.ports.faults import FaultDriver

STEADY_WAIT = timedelta(seconds=15)
_NO_LEASE = "plan"  # recipes of a plan bear no lease, so that the same targets give the same digest


class Unresolved(FaultError):
    """Targets that could not be resolved, every reason at once in `reasons`."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class PlannedExperiment:
    """One experiment; `undo` is how the fault would be undone if it were armed now.

    `after` is the experiment whose fault it follows, `wait` how long that may take at worst;
    `stops` says what ends the fault early. The suite's digest stands for `stops` in the plan's.
    """

    name: str
    round: int
    fault: Fault
    effect: Effect
    targets: tuple[Target, ...]
    undo: Mapping[str, object]
    worst_case: timedelta
    worst_cost: Decimal | None = None
    after: str = ""
    wait: timedelta = timedelta(0)
    stops: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Whole numbers and text only, so that its canonical bytes are the same everywhere."""
        return {
            "name": self.name,
            "round": self.round,
            "fault": {
                "type": self.fault.type,
                "service": self.fault.service,
                "selector": dict(self.fault.selector),
                "params": _plain(self.fault.params),
                "delay_ms": _ms(self.fault.delay),
                "duration_ms": _ms(self.fault.duration),
            },
            "effect": self.effect.value,
            "targets": [
                {"name": t.name, "service": t.service, "share_permille": round(t.share * 1000)}
                | ({"role": t.role} if t.role else {})
                for t in self.targets
            ],
            "undo": _plain(self.undo),
            "worst_case_ms": _ms(self.worst_case),
        } | self._where_there_is()

    def _where_there_is(self) -> dict[str, object]:
        cost, follows = self.worst_cost, {"after": self.after, "wait_ms": _ms(self.wait)}
        return ({} if cost is None else {"worst_cost": f"{cost:f}"}) | (
            follows if self.after else {}
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it; `blast_radius` is the largest part of each service that one round hits, 0..1."""

    suite: str
    suite_digest: str
    environment: str
    experiments: tuple[PlannedExperiment, ...]
    worst_case: timedelta
    blast_radius: Mapping[str, float]
    currency: str = ""
    objectives: tuple[str, ...] = ()
    workloads: tuple[WorkloadSpec, ...] = ()

    @property
    def digest(self) -> str:
        """What gets approved: `sha256:` and the hash of the canonical JSON."""
        return "sha256:" + hashlib.sha256(canonical(self.as_json())).hexdigest()

    def as_json(self) -> dict[str, object]:
        """The plan as plain data, durations in ms."""
        return {
            "suite": self.suite,
            "suite_digest": self.suite_digest,
            "environment": self.environment,
            "experiments": [e.as_json() for e in self.experiments],
            "worst_case_ms": _ms(self.worst_case),
            "blast_radius_permille": {
                service: round(share * 1000) for service, share in sorted(self.blast_radius.items())
            },
        } | ({"currency": self.currency} if self.currency else {}) | (
            {"workloads": {w.name: str(w) for w in self.workloads}} if self.workloads else {}
        )


def canonical(value: object) -> bytes:
    """Bytes that depend on the value only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fault(
    suite: Suite, experiment: Experiment, drivers: Mapping[str, FaultDriver], home: str
) -> Fault:
    """Make the fault as its driver gets it: parameters read, the service's selector beside it."""
    spec = experiment.fault
    params, wrong = read_params(spec.params, drivers[spec.type].params)
    if wrong:
        text = "; ".join(f"{w.text} ({w.hint})" if w.hint else w.text for w in wrong)
        raise SpecError(text, where=f"experiment {experiment.name}")
    selector = suite.target.services[spec.target].model_dump(exclude_none=True)
    return Fault(spec.type, spec.target, selector, home, spec.duration, spec.delay, params)


def make_plan(
    suite: Suite, suite_digest: str, drivers: Mapping[str, FaultDriver], home: str
) -> Plan:
    """Resolve every target now, touching nothing. Unresolved names all that could not be.

    SpecError, with every figure, when something may cost or hit more than the suite allows.
    """
    planned: list[PlannedExperiment] = []
    refused: list[str] = []
    for number, step in enumerate(suite.rounds):
        for experiment in step.experiments:
            spec = fault(suite, experiment, drivers, home)
            try:
                planned.append(_planned(suite, number, experiment, drivers, spec))
            except (FaultError, SpecError) as error:  # a connection may be there later
                refused.append(f"{experiment.name}: {error}")
    if refused:
        raise Unresolved(refused)
    hits = [(e.round, e.name, e.targets) for e in planned]
    costs = {e.name: e.worst_cost for e in planned if e.worst_cost is not None}
    if beyond := [*too_wide(suite, hits), *too_costly(suite, costs)]:
        raise SpecError("; ".join(beyond), where=suite.metadata.name)
    return Plan(
        suite.metadata.name, suite_digest, suite.target.environment, tuple(planned),
        _longest(suite, planned), blast_radius(planned),
        "" if suite.budget is None else suite.budget.currency,
        tuple(f"{o.name} {o.objective}: {o.indicator}" for o in suite.objectives),
        suite.target.workloads,
    )


def blast_radius(planned: Iterable[PlannedExperiment]) -> dict[str, float]:
    """Find the largest part of each service that one round hits; a target hit twice counts once."""
    hit: dict[tuple[int, str], dict[str, float]] = {}
    for experiment in planned:
        for target in experiment.targets:
            hit.setdefault((experiment.round, target.service), {})[target.name] = target.share
    largest: dict[str, float] = {}
    for (_, service), shares in hit.items():
        largest[service] = max(largest.get(service, 0.0), min(1.0, sum(shares.values())))
    return largest


def _planned(
    suite: Suite, number: int, experiment: Experiment, drivers: Mapping[str, FaultDriver],
    spec: Fault,
) -> PlannedExperiment:
    driver = drivers[spec.type]
    targets = tuple(driver.targets(spec))
    undo = driver.arm(spec, _NO_LEASE).undo
    longest = worst_case(experiment, suite.guard, driver.effect)
    return PlannedExperiment(
        experiment.name, number, spec, driver.effect, targets, undo, longest,
        None if suite.budget is None else suite.budget.worst(longest),
        experiment.fault.after or "", longest_wait(suite.rounds[number], experiment),
        stops(suite, experiment),
    )


def _longest(suite: Suite, planned: Iterable[PlannedExperiment]) -> timedelta:
    """Baseline, then for each round: steady, the longest fault with its wait, and recovery."""
    faults: dict[int, timedelta] = {}
    for experiment in planned:
        faults[experiment.round] = max(
            faults.get(experiment.round, timedelta(0)), experiment.wait + experiment.worst_case
        )
    total = suite.baseline.window
    for number, longest in faults.items():
        expected = (e.expect.recovery_within for e in suite.rounds[number].experiments)
        total += STEADY_WAIT + longest + max(allowed or timedelta(0) for allowed in expected)
    return total


def _ms(value: timedelta) -> int:
    return round(value.total_seconds() * 1000)


def _plain(value: object) -> object:
    """Signed data holds no floats: they become text."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
