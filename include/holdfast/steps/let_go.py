"""End what is still on of a run whose rounds are over."""

from collections.abc import Callable, Sequence

from holdfast.errors import FaultError, ResidueError
from holdfast.model.lease import Lease, Reason, Revocation
from holdfast.ports.bundle import Ports
from holdfast.steps.revert import revert as revert_lease


def let_go(
    ports: Ports, run_id: str, by: str, revert: Callable[[Ports, str], None] = revert_lease
) -> Sequence[ResidueError]:
    """Revoke and revert every lease of the run that is not clean; give back what is left.

    An `arm` whose process was killed leaves one that no other task knows of.
    """
    still_open = ports.leases.leases(run_id=run_id, open_only=True)
    for lease in still_open:
        at = ports.clock.now().isoformat(timespec="milliseconds")
        closed = Revocation(Reason.CLOSED, "the run was closed", by=by, at=at)
        ports.leases.revoke(lease.id, closed)
    why = dict[str, str]()
    for lease in still_open:
        try:
            revert(ports, lease.id)
        except FaultError as error:
            why[lease.id] = str(error)
    left = ports.leases.leases(run_id=run_id, open_only=True)
    return [residue(x, why.get(x.id, "")) for x in left]


def let_go_untouched(ports: Ports, run_id: str) -> None:
    """End leases that are only armed; what may have touched its target stays, for all to see."""
    for lease in ports.leases.leases(run_id=run_id, open_only=True):
        if not lease.is_touched:
            revert_lease(ports, lease.id)


def residue(lease: Lease, why: str) -> ResidueError:
    """Say which lease of a run is not clean, and why."""
    known = why or lease.detail or "no proof of its end"
    return ResidueError(f"{lease.experiment} is {lease.state}: {known}", lease=lease.id)
