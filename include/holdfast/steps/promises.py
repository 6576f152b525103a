"""Hold each experiment to the acknowledged writes that its fault may cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.model.lease import Lease
from holdfast.model.operation import Operation
from holdfast.model.suite import Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import NAMED, Checked, first_of
from holdfast.steps.book import write_finding


@dataclass(frozen=True, slots=True)
class Promise:
    """An experiment that says how many acknowledged writes its fault may cost."""

    experiment: str
    recovery_point: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class Seen:
    """A consistency check that was made; `file` holds every key with an anomaly."""

    history: Sequence[Operation]
    checked: Checked
    file: str


def promises(ports: Ports, run_id: str, suite: Suite) -> list[Promise]:
    """Promises whose faults were injected, in order of their faults' ends."""
    latest = {lease.experiment: lease for lease in ports.leases.leases(run_id=run_id)}
    found = [
        Promise(e.name, e.expect.recovery_point, latest[e.name])
        for step in suite.rounds for e in step.experiments
        if e.expect.recovery_point is not None and e.name in latest
        and latest[e.name].injected_at is not None
    ]
    return sorted(found, key=lambda promise: _end(promise.lease))


def keep_promises(
    ports: Ports, run_id: str, made: Sequence[Promise], seen: Sequence[Seen]
) -> None:
    """Give each lost write to the first fault that was over after it was acknowledged."""
    told = {o.key: o.completed or 0.0 for s in seen for o in s.history if o.outcome == "ok"}
    left = [k for s in seen for k in s.checked.anomalies.get("lost", ()) if k in told]
    doubts = [s.checked.text for s in seen if s.checked.outcome == "unknown"]
    files = " and ".join(s.file for s in seen if s.checked.anomalies.get("lost"))
    for number, promise in enumerate(made):
        is_last = number == len(made) - 1
        mine = [k for k in left if is_last or told[k] <= _end(promise.lease)]
        left = [k for k in left if k not in set(mine)]
        unsure = doubts if seen else ["no check is set"]
        write_finding(ports, run_id, _kept(promise, mine, unsure, files))


def pointed(text: str, keys: Iterable[Sequence[str]], file: str) -> str:
    """Say where all keys are, when the sentence names only the first of them."""
    return f"{text}, all in the artefact {file}" if any(len(k) > NAMED for k in keys) else text


def _end(lease: Lease) -> float:
    return lease.clean_at or lease.reverted_at or float("inf")


def _kept(promise: Promise, lost: Sequence[str], doubts: Sequence[str], files: str) -> Finding:
    text = f"{len(lost)} acknowledged writes lost, {promise.recovery_point} allowed"
    verdict = Verdict.HELD
    if len(lost) > promise.recovery_point:
        text = pointed(f"{text}: {first_of(lost)}", [lost], files)
        verdict = Verdict.BROKEN
    elif doubts:
        verdict, text = Verdict.UNKNOWN, f"lost writes could not be counted: {'; '.join(doubts)}"
    measured = {"lost": len(lost), "allowed": promise.recovery_point}
    return Finding("recovery_point", verdict, text, promise.experiment, measured)
