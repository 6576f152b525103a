"""The ledger: money set aside before a run, and what became of it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from holdfast.model.ledger import Claim, Posting


class Ledger(Protocol):
    """Append-only, double-entry; each call is one transaction, safe beside any other run's."""

    def reserve(self, claim: Claim) -> None:
        """Set aside all that a run asks for, or nothing: Postponed if the day has too little left.

        Again with the same claim changes nothing.
        """

    def settle(self, run_id: str, costs: Mapping[str, Decimal]) -> None:
        """Spend what each experiment cost, and give back the rest; nothing stays set aside.

        An experiment without a cost is charged all that was set aside for it.
        """

    def postings(self, *, day: str | None = None, run_id: str | None = None) -> Sequence[Posting]:
        """What was posted, in order; of one day, of one run, or both."""

    def unsettled(self) -> Sequence[str]:
        """Runs for which money is still set aside."""
