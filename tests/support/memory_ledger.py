"""A ledger in memory, with the store's arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from holdfast.model.ledger import Claim, Posting
from holdfast.safety.ledger import balance, reserving, settling, taken


@dataclass
class MemoryLedger:
    """Postings that are forgotten at the end of the test."""

    posted: list[Posting] = field(default_factory=list)

    def reserve(self, claim: Claim) -> None:
        own = self.postings(run_id=claim.run_id)
        gone = taken(self.posted, claim.day, claim.currency)
        self.posted += reserving(claim, own, gone, "2026-01-01T02:00:00+00:00")

    def settle(self, run_id: str, costs: Mapping[str, Decimal]) -> None:
        there = self.postings(run_id=run_id)
        self.posted += settling(there, costs, "2026-01-01T02:00:00+00:00")

    def postings(self, *, day: str | None = None, run_id: str | None = None) -> Sequence[Posting]:
        return [p for p in self.posted if day in (None, p.day) and run_id in (None, p.run_id)]

    def unsettled(self) -> Sequence[str]:
        runs = dict.fromkeys(p.run_id for p in self.posted)
        return [run for run in runs if balance(self.postings(run_id=run)).open]
