"""Whether a fault that follows another one may begin. Pure; the guard asks before each renewal."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.model.lease import Lease, LeaseState, Reason

_TO_COME = (LeaseState.OPENED, LeaseState.ARMED, LeaseState.INJECTING)


@dataclass(frozen=True, slots=True)
class Turn:
    """It is the fault's turn, it is not yet, or, with a reason, it will never be."""

    has_come: bool = False
    never: str = ""


def turn(after: str, beside: Sequence[Lease]) -> Turn:
    """Look at the leases of the round, oldest first: the one that is followed must be active.

    One that is superseded counts for nothing: its task runs again and will open another.
    """
    tries = [lease for lease in beside if lease.experiment == after and not _is_superseded(lease)]
    if not tries:
        return Turn()
    followed = tries[-1]
    if followed.revoked is not None:
        return Turn(never=f"'{after}', which it follows, was revoked: {followed.revoked.text}")
    if followed.state is LeaseState.ACTIVE:
        return Turn(has_come=True)
    if followed.state in _TO_COME:
        return Turn()
    if followed.injected_at is None:
        why = followed.detail or f"the lease is {followed.state}"
        return Turn(never=f"'{after}', which it follows, ended without having been on: {why}")
    return Turn(never=f"'{after}', which it follows, was over before it could begin")


def _is_superseded(lease: Lease) -> bool:
    return lease.revoked is not None and lease.revoked.reason is Reason.SUPERSEDED
