"""The store of leases as a guard uses it, asked from the triggerer's loop."""

from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast.model.lease import Lease, Renewal, Revocation


class LeaseDesk(Protocol):
    """Calls that never block the loop; those for one lease give back the row as it is afterwards.

    Errors of the store reach the caller, who may try again.
    """

    async def read(self, lease_id: str) -> Lease:
        """One lease; KeyError if there is none."""

    async def neighbours(self, lease: Lease) -> Sequence[Lease]:
        """The leases of the same round that are for other experiments."""

    async def renew(self, renewal: Renewal, not_after: float) -> Lease:
        """Raise the counter; TooLate, and no rise, once `not_after` (CLOCK_BOOTTIME) has passed."""

    async def revoke(self, lease_id: str, revocation: Callable[[], Revocation]) -> Lease:
        """Revoke the lease and its round; the revocation is made at the last moment."""


class TooLate(Exception):
    """A renewal was not written, because the decision it stood for had grown too old."""
