"""Wait for the target to recover from one fault, and measure how long it took."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from holdfast.clients.history import operations
from holdfast.errors import CheckError, EvidenceError
from holdfast.model.fault import Effect
from holdfast.model.lease import Lease
from holdfast.model.operation import Operation
from holdfast.model.run import Entry, EntryKind
from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.probes import Probe
from holdfast.registry import Registry
from holdfast.steps import indicate
from holdfast.steps.book import experiment_of, fault_of, suite_of, write_finding
from holdfast.steps.figures import lease_figures
from holdfast.steps.mechanisms import judge_mechanisms
from holdfast.steps.outage import Outage, outage
from holdfast.steps.snapshot import snapshot

PATIENCE = timedelta(seconds=60)
"""How long to wait for a recovery that the suite sets no bound for."""
_AT_LEAST_SECONDS = 12.0  # rates over 5 s and two clean seconds need this long to be seen
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at the target."""

    felt: Outage | None
    no_history: str
    not_holding: dict[str, str] = field(default_factory=dict)
    no_data: dict[str, str] = field(default_factory=dict)
    checks: tuple[Finding, ...] = ()

    def is_well(self) -> bool:
        calm = self.felt is None or self.felt.is_over
        objectives = not self.not_holding and not self.no_data
        return calm and objectives and all(c.verdict is Verdict.HELD for c in self.checks)


def recover(ports: Ports, run_id: str, experiment_name: str, lease_id: str) -> None:
    """Write what the fault did to users and whether all is well again within the bound.

    Recovery counts from the revert for a fault that was held, and from the fault itself for one
    that the target had to repair. Mechanisms that the experiment expects are judged here too, and
    the checks of the data take a look.
    """
    suite = suite_of(ports, run_id)
    _, experiment = experiment_of(suite, experiment_name)
    lease = ports.leases.read(lease_id)
    _recover(ports, suite, experiment, lease)
    judge_mechanisms(ports, suite, experiment, lease)


def _recover(ports: Ports, suite: Suite, experiment: Experiment, lease: Lease) -> None:
    run_id, figures = lease.run_id, lease_figures(ports, lease)
    if lease.injected_at is None:
        text = "it ended while it was injected: when the fault was on is not known" \
            if lease.is_touched else "the fault was never injected: nothing to recover from"
        _write(ports, run_id, experiment.name, figures | {"injected": False, "text": text})
        return
    seen, at = _wait(ports, suite, experiment, lease)
    figures |= {"injected": True, "effect": _effect(ports, lease).value} | _felt(seen, lease, at)
    finding = _judge(experiment, seen, figures)
    _write(ports, run_id, experiment.name, figures | {"text": finding.text})
    write_finding(ports, run_id, finding)
    for check in seen.checks:
        write_finding(ports, run_id, replace(check, experiment=experiment.name))
    snapshot(ports, run_id, experiment.name)


def _wait(
    ports: Ports, suite: Suite, experiment: Experiment, lease: Lease
) -> tuple[_Seen, float]:
    """Look until all is well or the bound has passed; give the last look and when it was."""
    bound = (experiment.expect.recovery_within or PATIENCE).total_seconds()
    begun = ports.clock.boottime()
    until = max(_since(ports, lease) + bound, begun + _AT_LEAST_SECONDS)
    while True:
        seen, now = _look(ports, suite, experiment, lease), ports.clock.boottime()
        if seen.is_well() or now >= until:
            return seen, now
        ports.clock.sleep(_POLL_SECONDS)


def _look(ports: Ports, suite: Suite, experiment: Experiment, lease: Lease) -> _Seen:
    felt, no_history = _outage(ports, suite, lease)
    not_holding, no_data = {}, {}
    for objective in suite.objectives:
        sample = indicate.now(ports, suite, objective, lease.run_id)
        bound = objective.objective
        if sample.value is None:
            no_data[objective.name] = sample.why or "no data"
        elif not bound.holds(sample.value):
            not_holding[objective.name] = f"{bound.tell(sample.value)}, objective {bound}"
    checks = _checks(ports, suite, experiment, lease)
    return _Seen(felt, no_history, not_holding, no_data, checks)


def _checks(
    ports: Ports, suite: Suite, experiment: Experiment, lease: Lease
) -> tuple[Finding, ...]:
    names = experiment.expect.checks
    if not names:
        return ()
    try:
        recipe = ports.journals.open(lease.id).recipe()
    except (KeyError, EvidenceError) as error:
        text = f"there is no recipe to check by: {error}"
        return tuple(Finding(name, Verdict.UNKNOWN, text) for name in names)
    probes = Registry[Probe]("probes", "PROBE")
    services = {
        name: selector.model_dump(exclude_none=True)
        for name, selector in suite.target.services.items()
    }
    fault, home = fault_of(ports, suite, experiment), str(ports.settings.home)
    return tuple(probes[name].observe(services, home, fault, recipe) for name in names)


def _outage(ports: Ports, suite: Suite, lease: Lease) -> tuple[Outage | None, str]:
    injected = lease.injected_at or 0.0
    users = {h.file for h in suite.target.histories.values() if h.query is not None}
    if not users:
        return None, "the suite names no history of its users"
    found: list[Operation] = []
    try:
        for file in users:
            found += operations(ports.settings.home / file, injected - 30.0)
    except CheckError as error:
        return None, str(error)
    now = ports.clock.boottime()
    end = lease.clean_at or lease.reverted_at or now
    return outage(found, (injected, end), _slow(suite), now), ""


def _slow(suite: Suite) -> float | None:
    """The bound of the first latency objective, in seconds."""
    return next(
        (o.objective.value for o in suite.objectives
         if o.objective.unit in ("ms", "s") and o.objective.op in ("<", "<=")),
        None,
    )


def _effect(ports: Ports, lease: Lease) -> Effect:
    return ports.drivers[lease.fault_type].effect


def _since(ports: Ports, lease: Lease) -> float:
    injected = lease.injected_at or 0.0
    if _effect(ports, lease) is Effect.HELD:
        return lease.reverted_at or injected
    return injected


def _felt(seen: _Seen, lease: Lease, at: float) -> dict[str, object]:
    """Figures of what users felt; without a history, of when the objectives held again."""
    injected, reverted = lease.injected_at or 0.0, lease.reverted_at
    if seen.felt is None:
        ended, detected, source = at, None, "objectives"
    else:
        ended, detected = seen.felt.ended_at or injected, seen.felt.detected_at
        source = "history"
    figures: dict[str, object] = {
        "source": source, "no_history": seen.no_history, "recovered": seen.is_well(),
        "recovery_from_fault_ms": _ms(ended - injected),
    }
    if reverted is not None:
        figures["recovery_from_revert_ms"] = _ms(max(0.0, ended - reverted))
    if detected is not None:
        figures["detection_ms"] = _ms(detected - injected)
    if seen.felt is not None:
        felt = seen.felt
        figures |= {
            "operations": felt.operations, "failed": felt.failed, "unsure": felt.unsure,
            "slow": felt.slow,
        }
    return figures


def _judge(experiment: Experiment, seen: _Seen, figures: dict[str, object]) -> Finding:
    counted = "revert" if figures["effect"] == Effect.HELD.value else "fault"
    took = figures.get(f"recovery_from_{counted}_ms", figures["recovery_from_fault_ms"])
    within = experiment.expect.recovery_within
    bound = None if within is None else round(within.total_seconds() * 1000)
    measured = {"recovery_ms": took, "counted_from": counted} | (
        {} if bound is None else {"bound_ms": bound}
    )
    verdict, text = _verdict(seen, int(str(took)), bound, counted)
    return Finding("recovery", verdict, text, experiment.name, measured)


def _verdict(seen: _Seen, took: int, bound: int | None, counted: str) -> tuple[Verdict, str]:
    if seen.felt is not None and not seen.felt.is_over:
        return Verdict.BROKEN, "operations still fail or are slow: the target has not recovered"
    if seen.not_holding:
        what = "; ".join(f"{name} is {text}" for name, text in seen.not_holding.items())
        return Verdict.BROKEN, f"not back in its steady state: {what}"
    if seen.no_data:
        what = "; ".join(f"{name}: {why}" for name, why in seen.no_data.items())
        return Verdict.UNKNOWN, f"whether it recovered cannot be told: {what}"
    limit = "" if bound is None else f", {bound / 1000:g} s allowed"
    if bound is not None and took > bound:
        return Verdict.BROKEN, f"recovered {took / 1000:.1f} s after the {counted}{limit}"
    if seen.felt is not None and seen.felt.detected_at is None:
        return Verdict.HELD, "no operation failed or was slow: users felt nothing"
    return Verdict.HELD, f"recovered {took / 1000:.1f} s after the {counted}{limit}"


def _write(ports: Ports, run_id: str, experiment: str, data: dict[str, object]) -> None:
    at = ports.clock.now().isoformat(timespec="milliseconds")
    ports.books.write(Entry(run_id, EntryKind.RECOVERY, "recovery", data, experiment, at))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
