"""How much of each lease is left, told from when its counter was last seen to rise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.model.lease import Lease


@dataclass(frozen=True, slots=True)
class Margin:
    """Seconds left of a lease at the last look, and the fewest that were seen on this page."""

    left: float
    smallest: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """A counter at the last look; it rose after `risen_after` at the earliest."""

    counter: int
    looked_at: float
    risen_after: float
    margin: Margin


def is_renewed(lease: Lease) -> bool:
    """Whether a guard renews this lease, or should."""
    return lease.counter > 0 and lease.reverted_at is None and lease.clean_at is None


@dataclass
class Margins:
    """What was seen of counters. A renewal counts from the look before the one that saw it.

    So a margin is told too small by one look at most, and never too large; only what was before
    the first look is not known.
    """

    _seen: dict[str, _Seen] = field(default_factory=dict)

    def note(self, leases: Sequence[Lease], now: float) -> None:
        """Look at the counters; `now` is CLOCK_BOOTTIME."""
        for lease in leases:
            if is_renewed(lease):
                self._seen[lease.id] = self._look(lease, now)
            else:
                self._seen.pop(lease.id, None)

    def now(self) -> Mapping[str, Margin]:
        """The margins at the last look, by lease."""
        return {lease_id: seen.margin for lease_id, seen in self._seen.items()}

    def _look(self, lease: Lease, now: float) -> _Seen:
        whole = lease.lease_seconds
        first = _Seen(lease.counter, now, now, Margin(whole, whole))
        seen = self._seen.get(lease.id, first)
        smallest = min(seen.margin.smallest, max(0.0, whole - (now - seen.risen_after)))
        after = seen.looked_at if lease.counter > seen.counter else seen.risen_after
        left = max(0.0, whole - (now - after))
        return _Seen(lease.counter, now, after, Margin(left, smallest))
