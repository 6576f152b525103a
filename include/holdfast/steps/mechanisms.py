"""Say of each mechanism that an experiment expects whether it was seen working."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from holdfast.clients.history import operations as history_of
from holdfast.errors import CheckError
from holdfast.model.lease import Lease
from holdfast.model.mechanism import MechanismSpec, MechanismState, risk
from holdfast.model.operation import Operation
from holdfast.model.params import read_params
from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Series, Watched
from holdfast.ports.metrics import Metrics
from holdfast.registry import Registry
from holdfast.safety.traffic import rise
from holdfast.steps.book import write_finding

BEFORE_SECONDS = 30.0
"""How long before the fault a mechanism is looked at, to know what its counters were."""
PATIENCE_SECONDS = 10.0
"""How long after the revert a mechanism may take to come back."""
_STEP_SECONDS, _POLL_SECONDS = 1.0, 1.0
_KNOWN_AT_START = 2 * _STEP_SECONDS
_OWN = Indicator("a series under the author's own name", sparse=True)
_VERDICTS = {
    MechanismState.WORKING: Verdict.HELD,
    MechanismState.PARTIAL: Verdict.BROKEN,
    MechanismState.BROKEN: Verdict.BROKEN,
    MechanismState.NOT_VALIDATED: Verdict.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class _Subject:
    """A mechanism of the suite with its judge, and what was seen of it by now."""

    name: str
    spec: MechanismSpec
    judge: Mechanism
    watched: Watched
    judged: Judged


def judge_mechanisms(ports: Ports, suite: Suite, experiment: Experiment, lease: Lease) -> None:
    """Write a finding for each mechanism the experiment expects, and keep what was seen of it.

    Waits a while for those that have yet to come back. A mechanism that nothing asked to act, or
    that could not be seen, is NOT VALIDATED; nothing is raised for it.
    """
    kept = []
    for name in experiment.expect.mechanisms:
        if lease.injected_at is None:
            judged = Judged(MechanismState.NOT_VALIDATED, "the fault was never injected")
        else:
            subject = _watch(ports, suite, lease, name)
            judged = subject.judged
            kept.append(_kept(subject))
        found = _finding(experiment.name, name, suite.mechanisms[name], judged)
        write_finding(ports, lease.run_id, found)
    if kept:
        content = json.dumps(kept, sort_keys=True).encode()
        file = f"mechanisms-{experiment.name}.json"
        ports.artefacts.put(lease.run_id, file, content, "application/json")


def cumulated(every: Sequence[Series], start: float) -> Series:
    """Count all series of a counter together: what came since the start, whatever was reset.

    A series that is not there at the start belongs to a process that began later, from 0.
    """
    steps: list[tuple[float, float]] = []
    for series in every:
        known = bool(series) and series[0][0] <= start + _KNOWN_AT_START
        last = series[0][1] if known else 0.0
        for at, value in series:
            steps.append((at, rise(last, value)))
            last = value
    total, risen = 0.0, dict[float, float]()
    for at, more in sorted(steps):
        total += more
        risen[at] = total
    return list(risen.items())


def _watch(ports: Ports, suite: Suite, lease: Lease, name: str) -> _Subject:
    """Look until it is back, or has had the time to be."""
    until = (lease.reverted_at or ports.clock.boottime()) + PATIENCE_SECONDS
    while True:
        subject = _look(ports, suite, lease, name)
        if not subject.judged.may_change or ports.clock.boottime() >= until:
            return subject
        ports.clock.sleep(_POLL_SECONDS)


def _look(ports: Ports, suite: Suite, lease: Lease, name: str) -> _Subject:
    spec = suite.mechanisms[name]
    judge = Registry[Mechanism]("mechanisms", "MECHANISM")[spec.type]
    now = ports.clock.boottime()
    date = ports.clock.now().timestamp() - now
    injected, reverted = lease.injected_at or now, lease.reverted_at or now
    watched = Watched(
        injected - BEFORE_SECONDS + date, injected + date, reverted + date, now + date,
        params=read_params(spec.params, judge.params)[0],
    )
    try:
        series = _series(ports.metrics(suite.target.prometheus), spec, judge, watched)
        history = _operations(ports, suite, spec, (injected, reverted))
        operations = [_dated(o, date) for o in history]
        watched = replace(watched, series=series, operations=operations)
    except CheckError as error:
        why = Judged(MechanismState.NOT_VALIDATED, str(error))
        return _Subject(name, spec, judge, watched, why)
    return _Subject(name, spec, judge, watched, judge.judge(watched))


def _series(
    metrics: Metrics, spec: MechanismSpec, judge: Mechanism, window: Watched
) -> Mapping[str, Series]:
    """Each indicator that the suite names; CheckError for one that shows nothing."""
    found = dict[str, Series]()
    for name, query in spec.indicators.items():
        about = judge.indicators.get(name, _OWN)
        every = metrics.each_between(query, window.start, window.end, _STEP_SECONDS)
        if len(every) > 1 and not about.counter:
            raise CheckError(f"'{name}' gives {len(every)} series instead of one")
        joined = cumulated(every, window.start) if about.counter else [s for e in every for s in e]
        if not joined and not about.sparse:
            raise CheckError(f"'{name}' gives no data")
        found[name] = joined
    return found


def _operations(
    ports: Ports, suite: Suite, spec: MechanismSpec, window: tuple[float, float]
) -> Sequence[Operation]:
    """What the history has of the fault window."""
    if spec.history is None:
        return ()
    return history_of(ports.settings.home / suite.target.histories[spec.history].file, *window)


def _dated(operation: Operation, date: float) -> Operation:
    """Its times as unix seconds."""
    completed = None if operation.completed is None else operation.completed + date
    return replace(operation, intended=operation.intended + date,
                   invoked=operation.invoked + date, completed=completed)


def _finding(experiment: str, name: str, spec: MechanismSpec, judged: Judged) -> Finding:
    measured: dict[str, object] = {
        "mechanism": spec.type, "state": judged.state.value,
        "risk": risk(judged.state, spec.criticality).value, **judged.figures,
    }
    text = f"{name} is {judged.state.value}: {judged.text}"
    return Finding(name, _VERDICTS[judged.state], text, experiment, measured)


def _kept(subject: _Subject) -> dict[str, object]:
    """What the judge saw, all of it, so that the verdict can be checked again."""
    seen, spec = subject.watched, subject.spec
    return {
        "mechanism": subject.name, "type": spec.type, "text": subject.judged.text,
        "state": subject.judged.state.value, "params": dict(seen.params),
        "indicators": dict(spec.indicators),
        "start": seen.start, "injected": seen.injected, "reverted": seen.reverted,
        "end": seen.end, "series": {name: list(series) for name, series in seen.series.items()},
        "operations": [[o.f, o.intended, o.completed, o.outcome] for o in seen.operations],
    }
