"""What a report says of guards, keepers and leases."""

from holdfast.model.lease import Lease
from holdfast.ports.bundle import Ports
from holdfast.reports._content import Guarded
from holdfast.steps.figures import lease_figures

_DECISIONS = {
    "breach": "aborted: an objective was breached",
    "no_data": "ended: the guard had no data",
    "not_steady": "no fault: the target was not steady",
    "stopped": "ended: a person stopped it",
    "budget": "ended: what was reserved for it is used up",
    "keeper_silent": "ended: the keeper fell silent",
    "superseded": "replaced by a later try",
    "closed": "ended: the run was closed",
    "round": "ended: another fault of the round was stopped",
}


def guarded(ports: Ports, lease: Lease) -> Guarded:
    """Tell how one fault was watched, and who ended it."""
    figures = lease_figures(ports, lease)
    decision = _DECISIONS.get(str(figures["revoked"]), "")
    if lease.ended is not None and lease.ended.value == "duration":
        decision = "went on to the end"
    if not decision:
        decision = f"ended: {lease.ended.value}" if lease.ended else f"still {lease.state.value}"
    reading = lease.revoked.text if lease.revoked and decision != "went on to the end" else ""
    known = {
        name: whole(figures.get(name)) for name in (
            "widest_gap_ms", "lease_margin_ms", "guard_ms", "keeper_ms", "abort_ms",
            "clean_after_ms",
        )
    }
    return Guarded(
        lease.experiment, decision, reading, lease.counter, round(lease.lease_seconds * 1000),
        **known,
    )


def whole(value: object) -> int | None:
    """Give a whole number, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
