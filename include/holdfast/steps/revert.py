"""Let nobody leave a fault behind: the teardown of `arm`."""

import logging
from functools import partial

from holdfast.errors import FaultError, HoldfastError, ResidueError
from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.model.run import Notice
from holdfast.ports.bundle import Ports
from holdfast.steps.finish import finish, known_lease
from holdfast.steps.limit import within

WATCHED = (LeaseState.OPENED, LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE)
STORE_SECONDS = 0.5
"""How long a revocation waits for the store before the keeper is told by a signal."""
_log = logging.getLogger("holdfast.revert")


def revert(ports: Ports, lease_id: str) -> None:
    """Return once the lease is clean. ResidueError, with a notice, if that cannot be reached.

    When this runs, the task that watched has ended: a lease that is still on is revoked.
    """
    if revoke_open(ports, lease_id, Reason.CLOSED, "the task that watched has ended", "revert"):
        ensure_clean(ports, lease_id, "the revert task")


def revoke_open(ports: Ports, lease_id: str, reason: Reason, why: str, by: str) -> bool:
    """Revoke the lease if its keeper may still hold it on; if the store is down, tell the keeper.

    False if nobody has ever heard of the lease.
    """
    revocation = Revocation(reason, why, by, ports.clock.now().isoformat())
    revoke = partial(_revoke, ports, lease_id, revocation)
    try:
        known = within(STORE_SECONDS, revoke, "the revocation")
    except HoldfastError as error:  # down, or held up by somebody else's lock
        _log.warning("lease %s is not revoked in the store: %s", lease_id, error)
        known = False
    if not known:
        ports.keepers.end(lease_id)
    return known or known_lease(ports, lease_id) is not None


def _revoke(ports: Ports, lease_id: str, revocation: Revocation) -> bool:
    """False if the store has no such lease."""
    try:
        lease = ports.leases.read(lease_id)
    except KeyError:
        return False
    if lease.state in WATCHED and lease.revoked is None:
        ports.leases.revoke(lease_id, revocation)
    return True


def ensure_clean(ports: Ports, lease_id: str, by: str, *, shown: bool = True) -> None:
    """Finish the lease; ResidueError and a notice to a person if it does not end clean."""
    try:
        state, why = finish(ports, lease_id, by, shown=shown)
    except (FaultError, OSError) as error:
        state, why = LeaseState.UNPROVEN, str(error)
    if state is LeaseState.CLEAN:
        return
    lease = known_lease(ports, lease_id)
    text = f"{lease.experiment if lease else 'a fault'} is {state}: {why}"
    if lease is not None:
        suite = lease.run_id.partition("--")[0]
        data = {"lease_id": lease_id, "state": state.value, "service": lease.service}
        ports.notifier.tell(Notice("residue", lease.run_id, suite, text, data))
    raise ResidueError(text, lease=lease_id)
