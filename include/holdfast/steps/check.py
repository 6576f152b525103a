"""Check that the target's data is what its users were told, after all rounds."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from holdfast.clients.history import operations
from holdfast.clients.postgres import Cluster, Node, cluster
from holdfast.errors import CheckError, FaultError, SpecError, TransientFaultError
from holdfast.model.lease import Lease
from holdfast.model.operation import Operation
from holdfast.model.run import RunState
from holdfast.model.suite import Consistency, Experiment, History, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import NAMED, Checked, Checker, first_of
from holdfast.registry import Registry
from holdfast.steps.book import run_of, suite_of, write_finding

_SETTLE_SECONDS, _POLL_SECONDS = 6.0, 0.5
_PRIMARY_SECONDS = 15.0
_VERDICTS = {"valid": Verdict.HELD, "invalid": Verdict.BROKEN, "unknown": Verdict.UNKNOWN}


@dataclass(frozen=True, slots=True)
class _Promise:
    """An experiment that says how many acknowledged writes its fault may cost."""

    experiment: str
    recovery_point: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class _Seen:
    """A consistency check that was made; `file` holds every key with an anomaly."""

    history: Sequence[Operation]
    checked: Checked
    file: str


def read_back(ports: Ports, spec: History) -> Sequence[object]:
    """Read every key on the one primary, waiting for there to be one; nothing can be written."""
    nodes = cluster(str(ports.settings.home), spec.postgres)
    until = ports.clock.boottime() + _PRIMARY_SECONDS
    while True:
        try:
            return [row[0] for row in nodes.read(_primary(nodes), spec.query)]
        except TransientFaultError:
            if ports.clock.boottime() >= until:
                raise
        ports.clock.sleep(_POLL_SECONDS)


def _primary(nodes: Cluster) -> Node:
    """The one primary; to lack one is a matter of time, unlike a query that is refused."""
    try:
        return nodes.primary()
    except FaultError as error:
        raise TransientFaultError(str(error)) from error


def check(
    ports: Ports, run_id: str,
    read: Callable[[Ports, History], Sequence[object]] = read_back,
) -> None:
    """Write a finding for each consistency check, and for each recovery point promised.

    A check that cannot decide is UNKNOWN, with its reason; nothing is raised for it.
    """
    run = run_of(ports, run_id)
    if run.state is RunState.POSTPONED:
        return
    suite = suite_of(ports, run_id)
    promises = _promises(ports, run_id, suite)
    allowed = sum(p.recovery_point for p in promises)
    seen = []
    for consistency in suite.consistency:
        try:
            history = _settled(ports, suite, consistency, run.start_boottime)
            final = read(ports, suite.target.histories[str(consistency.history)])
            checker = Registry[Checker]("checkers", "CHECKER")[consistency.checker]
            checked = checker.check(history, final, allowed)
        except (CheckError, FaultError, SpecError) as error:
            history, checked = [], Checked("unknown", str(error))
        alone = len(suite.consistency) == 1
        suffix = "" if alone else f"-{consistency.history}"
        file = _report(ports, run_id, consistency, checked, suffix)
        seen.append(_Seen(history, checked, file))
    _keep_promises(ports, run_id, promises, seen)


def _settled(
    ports: Ports, suite: Suite, consistency: Consistency, since: float
) -> list[Operation]:
    """The writes sent until now, once those in flight have ended or had the time to."""
    spec = suite.target.histories.get(consistency.history or "")
    if spec is None:
        raise SpecError(f"unknown history '{consistency.history}'", where=suite.metadata.name)
    wanted = spec.operation or str(consistency.history).removesuffix("s")
    until = ports.clock.boottime()
    while True:
        found = operations(ports.settings.home / spec.file, since, until)
        writes = [o for o in found if o.f == wanted]
        waited = ports.clock.boottime() - until
        if waited >= _SETTLE_SECONDS or (waited >= 1 and all(o.completed for o in writes)):
            return writes
        ports.clock.sleep(_POLL_SECONDS)


def _report(
    ports: Ports, run_id: str, consistency: Consistency, checked: Checked, suffix: str
) -> str:
    """Write the finding and keep all anomalies; give the name of their file."""
    name = f"{consistency.checker}-{consistency.history}.json"
    kept = {name: list(keys) for name, keys in checked.anomalies.items() if keys}
    if kept:
        content = json.dumps(kept, indent=1, sort_keys=True).encode()
        ports.artefacts.put(run_id, name, content, "application/json")
    write_finding(ports, run_id, Finding(
        consistency.checker + suffix, _VERDICTS[checked.outcome],
        f"{consistency.history}: {_pointed(checked.text, kept.values(), name)}",
        measured=dict(checked.counts),
    ))
    return name


def _pointed(text: str, keys: Iterable[Sequence[str]], file: str) -> str:
    """Say where all keys are, when the sentence names only the first of them."""
    return f"{text}, all in the artefact {file}" if any(len(k) > NAMED for k in keys) else text


def _promises(ports: Ports, run_id: str, suite: Suite) -> list[_Promise]:
    """Promises whose faults were injected, in order of their faults' ends."""
    latest = {lease.experiment: lease for lease in ports.leases.leases(run_id=run_id)}
    found = [
        _Promise(e.name, e.expect.recovery_point, latest[e.name])
        for e in _experiments(suite)
        if e.expect.recovery_point is not None and e.name in latest
        and latest[e.name].injected_at is not None
    ]
    return sorted(found, key=lambda promise: _end(promise.lease))


def _experiments(suite: Suite) -> list[Experiment]:
    return [e for step in suite.rounds for e in step.experiments]


def _end(lease: Lease) -> float:
    return lease.clean_at or lease.reverted_at or float("inf")


def _keep_promises(
    ports: Ports, run_id: str, promises: Sequence[_Promise],
    seen: Sequence[_Seen],
) -> None:
    """Give each lost write to the first fault that was over after it was acknowledged."""
    told = {str(o.value): o.completed or 0.0 for s in seen for o in s.history if o.outcome == "ok"}
    left = [k for s in seen for k in s.checked.anomalies.get("lost", ()) if k in told]
    doubts = [s.checked.text for s in seen if s.checked.outcome == "unknown"]
    files = " and ".join(s.file for s in seen if s.checked.anomalies.get("lost"))
    for number, promise in enumerate(promises):
        is_last = number == len(promises) - 1
        mine = [k for k in left if is_last or told[k] <= _end(promise.lease)]
        left = [k for k in left if k not in set(mine)]
        unsure = doubts if seen else ["no check is set"]
        write_finding(ports, run_id, _kept(promise, mine, unsure, files))


def _kept(promise: _Promise, lost: Sequence[str], doubts: Sequence[str], files: str) -> Finding:
    text = f"{len(lost)} acknowledged writes lost, {promise.recovery_point} allowed"
    verdict = Verdict.HELD
    if len(lost) > promise.recovery_point:
        text = _pointed(f"{text}: {first_of(lost)}", [lost], files)
        verdict = Verdict.BROKEN
    elif doubts:
        verdict, text = Verdict.UNKNOWN, f"lost writes could not be counted: {'; '.join(doubts)}"
    measured = {"lost": len(lost), "allowed": promise.recovery_point}
    return Finding("recovery_point", verdict, text, promise.experiment, measured)
