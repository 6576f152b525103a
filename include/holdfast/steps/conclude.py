"""Say how a fault's life ended, believing the store only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.errors import (
    ApprovalRefused,
    BudgetExhausted,
    EvidenceError,
    FaultError,
    GuardTripped,
    HoldfastError,
    SafetyError,
    Stopped,
)
from holdfast.model.lease import TOUCHED, End, Lease, LeaseState, Reason, Revocation
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import StoreDown
from holdfast.steps.book import write_finding
from holdfast.steps.watch import is_past_active

WAIT_SECONDS = 3.0
_POLL_SECONDS = 0.1
_DIRTY = (LeaseState.UNCLEAN, LeaseState.UNPROVEN)


@dataclass(frozen=True, slots=True)
class Ending:
    """The verdict on a fault's life, in one sentence, and what to raise about it."""

    verdict: Verdict
    text: str
    error: HoldfastError | None = None


def conclude(ports: Ports, run_id: str, experiment_name: str, lease_id: str) -> None:
    """Write the experiment's finding `fault`; return if it ran its time, else raise why not.

    Waits a short while for the keeper to let go. A fault that is still on after that is revoked:
    nobody watches it any more. That it is gone is for `revert` to prove.
    """
    try:
        lease = _settled(ports, lease_id)
        end = ending(lease, _cause(ports, lease))
        figures = measured(lease) | _keepers_part(ports, lease)
    except StoreDown as error:
        text = f"how the fault ended is not known: {error}"
        end, figures = Ending(Verdict.UNKNOWN, text, Stopped(text)), {}
    finding = Finding("fault", end.verdict, end.text, experiment_name, figures)
    write_finding(ports, run_id, finding)
    if end.error is not None:
        raise end.error


def abandon(ports: Ports, lease_id: str, why: str) -> None:
    """Revoke the lease because its watch has ended; changes nothing if it is revoked already."""
    at = ports.clock.now().isoformat()
    ports.leases.revoke(lease_id, Revocation(Reason.CLOSED, why, by="inject", at=at))


def ending(lease: Lease, cause: Reason | None) -> Ending:
    """How the fault's life ended: a breach while it was on outranks what the keeper knows.

    `cause` is why the lease, or the one whose revocation ended the round, was revoked.
    """
    revoked = lease.revoked
    if revoked is not None and cause is Reason.BREACH and _was_on(lease, revoked):
        return Ending(Verdict.BROKEN, f"the guard stopped the fault: {revoked.text}",
                      GuardTripped(revoked.text, revoked.reading))
    if lease.ended is End.DURATION:
        return _ran_its_time(lease)
    said = "" if revoked is None else f"{_WHY[revoked.reason]}: {revoked.text}"
    if lease.ended in _FAULTY:
        text = "; ".join(part for part in (_FAULTY[lease.ended], lease.detail, said) if part)
        return Ending(Verdict.UNKNOWN, text, FaultError(text, target=f"lease {lease.id}"))
    known = "" if lease.ended is None else _STOPPED.get(lease.ended, "")
    text = "; ".join(part for part in (known, said) if part) or "the fault was not seen to end"
    stop = _ERRORS.get(cause, Stopped)
    return Ending(Verdict.UNKNOWN, text, stop(text, revoked.reading if revoked else {}))


def measured(lease: Lease) -> dict[str, object]:
    """Figures of the abort and of the lease, as far as they are known by now.

    `guard_ms` is the guard's own part of an abort's latency, on its clock; `lease_margin_seconds`
    is what was left of the lease at the widest gap between renewals.
    """
    figures: dict[str, object] = {"lease_seconds": lease.lease_seconds}
    if lease.revoked is not None:
        figures["revoked"] = lease.revoked.reason.value
        if lease.revoked.spent_ms:
            figures["guard_ms"] = lease.revoked.spent_ms
    if lease.widest_gap is not None:
        figures["lease_margin_seconds"] = round(lease.lease_seconds - lease.widest_gap, 3)
    if lease.injected_at is not None and lease.reverted_at is not None:
        figures["active_seconds"] = round(lease.reverted_at - lease.injected_at, 3)
    return figures


def _keepers_part(ports: Ports, lease: Lease) -> dict[str, object]:
    """`keeper_ms`, from the revocation to the revert's line in the journal of this host."""
    if lease.revoked is None or lease.ended is not End.REVOKED:
        return {}
    try:
        lines = ports.journals.open(lease.id).lines()
    except (KeyError, OSError, EvidenceError):
        return {}  # a journal of another host, or one that `revert` will complain about
    begun = [line.at for line in lines if line.state is LeaseState.REVERTING]
    if not begun:
        return {}
    spent = datetime.fromisoformat(begun[0]) - datetime.fromisoformat(lease.revoked.at)
    return {"keeper_ms": round(spent.total_seconds() * 1000, 1)}


def _settled(ports: Ports, lease_id: str) -> Lease:
    until = ports.clock.boottime() + WAIT_SECONDS
    while ports.clock.boottime() < until:
        try:
            lease = ports.leases.read(lease_id)
        except StoreDown:
            pass  # it may answer in time
        else:
            if is_past_active(lease) or _is_silent(lease):
                return lease
        ports.clock.sleep(_POLL_SECONDS)
    abandon(ports, lease_id, "the task that watched has ended")
    return ports.leases.read(lease_id)


def _cause(ports: Ports, lease: Lease) -> Reason | None:
    """Faults side by side share the objectives: a breach is each one's that was on."""
    if lease.revoked is None or lease.revoked.reason is not Reason.ROUND:
        return None if lease.revoked is None else lease.revoked.reason
    mark = (lease.revoked.at, lease.revoked.text)
    for other in ports.leases.leases(run_id=lease.run_id):
        first = other.revoked
        if first is None or first.reason is Reason.ROUND:
            continue
        if (first.at, first.text) == mark:
            return first.reason
    return Reason.ROUND


def _was_on(lease: Lease, revoked: Revocation) -> bool:
    """Whether the breach can be this one's: injected, and not over before a neighbour's."""
    ran_before = lease.ended is End.DURATION and revoked.reason is Reason.ROUND
    touched = lease.state in TOUCHED or lease.injected_at is not None
    return touched and not ran_before


def _is_silent(lease: Lease) -> bool:
    """Nobody is there to let go; `revert` must not be kept waiting."""
    return lease.revoked is not None and lease.revoked.reason is Reason.KEEPER_SILENT


def _ran_its_time(lease: Lease) -> Ending:
    if lease.state in _DIRTY:
        text = f"the fault ran its time, but its end is {lease.state}: {lease.detail}"
        return Ending(Verdict.UNKNOWN, text)
    return Ending(Verdict.HELD, f"the fault ran its {lease.duration_seconds:g} s under guard")


_WHY = {
    Reason.BREACH: "an objective was breached before the fault was injected",
    Reason.NO_DATA: "the guard had no data",
    Reason.NOT_STEADY: "no fault, because the target was not steady",
    Reason.STOPPED: "stopped by a person",
    Reason.WITHDRAWN: "no longer allowed",
    Reason.BUDGET: "what was reserved for it is used up",
    Reason.KEEPER_SILENT: "the keeper fell silent",
    Reason.SUPERSEDED: "a later try took its place",
    Reason.CLOSED: "the watch ended",
    Reason.ROUND: "another fault of the round was stopped",
}
_ERRORS: Mapping[Reason | None, type[SafetyError]] = {
    Reason.BUDGET: BudgetExhausted, Reason.WITHDRAWN: ApprovalRefused,
}
_FAULTY = {
    End.FAILED: "the injection failed and was reverted",
    End.CHILD_DIED: "the keeper's child died and the parent reverted",
    End.PARENT_DIED: "the keeper's parent died and the child reverted",
    End.EXPIRED: "no guard came in time, so nothing was injected",
}
_STOPPED = {
    End.SILENCE: "the keeper saw no renewal for the lease time and reverted",
    End.SIGNAL: "the keeper was told to end and reverted",
    End.REFUSED: "the keeper refused to inject, because the environment was stopped or held",
    End.ADOPTED: "the keeper was gone; the fault was reverted for it",
}
