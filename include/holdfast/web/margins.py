"""How much of each lease is left, told from when its counter was last seen to rise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.model.lease import Lease


@dataclass(frozen=True, slots=True)
class Margin:
    """Seconds left of a lease at the last look, and the fewest that were seen on this page."""

    left: float
    smallest: float


def is_renewed(lease: Lease) -> bool:
    """Whether a guard renews this lease, or should."""
    return lease.counter > 0 and lease.reverted_at is None and lease.clean_at is None


@dataclass
class Margins:
    """What was seen of counters. A gap is told no shorter than it was, so a margin no wider."""

    _seen: dict[str, tuple[int, float, Margin]] = field(default_factory=dict)

    def note(self, leases: Sequence[Lease], now: float) -> None:
        """Look at the counters; `now` is CLOCK_BOOTTIME."""
        for lease in leases:
            if is_renewed(lease):
                self._seen[lease.id] = self._renewed(lease, now)
            else:
                self._seen.pop(lease.id, None)

    def now(self) -> Mapping[str, Margin]:
        """The margins at the last look, by lease."""
        return {lease_id: margin for lease_id, (_, _, margin) in self._seen.items()}

    def _renewed(self, lease: Lease, now: float) -> tuple[int, float, Margin]:
        whole = lease.lease_seconds
        first = (lease.counter, now, Margin(whole, whole))
        counter, risen_at, margin = self._seen.get(lease.id, first)
        left = max(0.0, whole - (now - risen_at))
        smallest = min(margin.smallest, left)
        if lease.counter > counter:
            return lease.counter, now, Margin(whole, smallest)
        return counter, risen_at, Margin(left, smallest)
