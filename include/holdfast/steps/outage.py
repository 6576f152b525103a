"""What users felt of a fault, worked out from the workload's own log. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from holdfast.model.operation import Operation

STEADY_SECONDS = 2.0
_IN_FLIGHT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first bad operation to the last; times are CLOCK_BOOTTIME seconds.

    `detected_at` is when the first bad operation was known to be bad, None if none was. `ended_at`
    is when the last one ended. `is_over` says that good ones, and only good ones, followed for
    2 s. `operations` counts all that were sent meanwhile, of which some failed, some have an
    unknown outcome, and some were slow.
    """

    detected_at: float | None
    ended_at: float | None
    is_over: bool
    operations: int
    failed: int
    unsure: int
    slow: int


@dataclass(frozen=True, slots=True)
class _Bad:
    start: float
    known: float
    end: float


def outage(
    history: Sequence[Operation], window: tuple[float, float], slow: float | None, now: float
) -> Outage:
    """Follow bad operations from the fault window on, until 2 s pass without one.

    An operation is bad when it was not ok, or took longer than `slow` seconds from the moment it
    should have been sent.
    """
    bad = sorted(_bad(history, slow, now), key=lambda b: b.start)
    inside = [b for b in bad if b.start <= window[1] and b.end >= window[0]]
    ended = max((b.end for b in inside), default=None)
    for later in dropwhile(lambda b: b.start <= window[1], bad):
        if ended is None or later.start >= ended + STEADY_SECONDS:
            break
        inside.append(later)
        ended = max(ended, later.end)
    meant = [o for o in history if window[0] <= o.intended <= max(window[1], ended or 0.0)]
    return Outage(
        detected_at=min((max(b.known, window[0]) for b in inside), default=None),
        ended_at=ended,
        is_over=_is_steady(history, window[0] if ended is None else ended, slow, now),
        operations=len(meant),
        failed=sum(o.outcome == "fail" for o in meant),
        unsure=sum(o.outcome == "info" for o in meant),
        slow=sum(o.outcome == "ok" and _is_slow(o, slow) for o in meant),
    )


def _bad(history: Iterable[Operation], slow: float | None, now: float) -> Iterable[_Bad]:
    patience = slow or _IN_FLIGHT_SECONDS
    for o in history:
        if o.completed is None:
            if now - o.intended > patience:
                yield _Bad(o.intended, o.intended + patience, o.intended + patience)
        elif o.outcome != "ok":
            yield _Bad(o.intended, o.completed, o.completed)
        elif _is_slow(o, slow):
            yield _Bad(o.intended, o.intended + patience, o.completed)


def _is_slow(operation: Operation, slow: float | None) -> bool:
    if slow is None or operation.completed is None:
        return False
    return operation.completed - operation.intended > slow


def _is_steady(
    history: Sequence[Operation], since: float, slow: float | None, now: float
) -> bool:
    good = (
        o for o in history
        if since <= o.intended and o.outcome == "ok" and not _is_slow(o, slow)
    )
    return now >= since + STEADY_SECONDS and next(iter(good), None) is not None
