"""Figures of a lease in whole milliseconds, for books, evidence and report alike."""

from datetime import datetime

from holdfast.errors import EvidenceError
from holdfast.model.lease import End, Lease, LeaseState
from holdfast.ports.bundle import Ports


def lease_figures(ports: Ports, lease: Lease) -> dict[str, object]:
    """Times of the fault, the lease margin, and an abort's latency; what is unknown is left out.

    `guard_ms` runs from the answer that showed the breach to the revocation; `keeper_ms` from
    there to the start of the revert, as the keeper's journal has it.
    """
    figures: dict[str, object] = {
        "lease_id": lease.id, "boot_id": lease.boot_id, "state": lease.state.value,
        "lease_ms": _ms(lease.lease_seconds), "renewals": lease.counter,
        "ended": lease.ended.value if lease.ended else "",
        "revoked": lease.revoked.reason.value if lease.revoked else "",
    }
    times = {"injected": lease.injected_at, "reverted": lease.reverted_at, "clean": lease.clean_at}
    figures |= {f"{name}_boottime_ms": _ms(at) for name, at in times.items() if at is not None}
    if lease.injected_at is not None and lease.reverted_at is not None:
        figures["active_ms"] = _ms(lease.reverted_at - lease.injected_at)
    if lease.reverted_at is not None and lease.clean_at is not None:
        figures["clean_after_ms"] = _ms(lease.clean_at - lease.reverted_at)
    if lease.widest_gap is not None:
        figures["widest_gap_ms"] = _ms(lease.widest_gap)
        figures["lease_margin_ms"] = _ms(lease.lease_seconds - lease.widest_gap)
    return figures | _abort(ports, lease)


def _abort(ports: Ports, lease: Lease) -> dict[str, object]:
    if lease.revoked is None or lease.injected_at is None or lease.ended is not End.REVOKED:
        return {}
    guard = round(lease.revoked.spent_ms)
    keeper = _keeper_ms(ports, lease.id, lease.revoked.at)
    if keeper is None:
        return {"guard_ms": guard}
    return {"guard_ms": guard, "keeper_ms": keeper, "abort_ms": guard + keeper}


def _keeper_ms(ports: Ports, lease_id: str, revoked_at: str) -> int | None:
    """From the revocation to the first line that says `reverting`, by the dates of one host."""
    try:
        lines = ports.journals.open(lease_id).lines()
        begun = next(line for line in lines if line.state is LeaseState.REVERTING)
        spent = datetime.fromisoformat(begun.at) - datetime.fromisoformat(revoked_at)
    except (KeyError, EvidenceError, StopIteration, ValueError):
        return None  # another host's journal, or a damaged one: sealing says which
    return max(0, round(spent.total_seconds() * 1000))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
