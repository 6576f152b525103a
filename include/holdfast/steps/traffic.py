"""When the faults of a run were on, and what the target's counters rose by meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from holdfast.clients.host import boot_id
from holdfast.errors import CheckError, SpecError
from holdfast.model.lease import Lease
from holdfast.model.run import Run
from holdfast.ports.bundle import Ports
from holdfast.safety.traffic import Counted, counted

Window = tuple[float, float]
"""From and to, in unix seconds."""
_MOST_POINTS = 5000
MEMORY_SECONDS = 300.0
"""How far back an instance is looked for that cannot be seen at the start."""
_MEMORY_STEP = 5.0


def window(ports: Ports, lease: Lease) -> Window | None:
    """When a fault was on, by this machine's two clocks; None if its clock was another.

    A fault that is not proven to be gone is on until now.
    """
    if lease.injected_at is None or lease.boot_id != boot_id():
        return None
    boottime, now = ports.clock.boottime(), ports.clock.now().timestamp()
    end = boottime if lease.clean_at is None else lease.clean_at
    offset = now - boottime
    return lease.injected_at + offset, end + offset


def whole_run(ports: Ports, run: Run) -> Window:
    """From the run's start until now."""
    return datetime.fromisoformat(run.started_at).timestamp(), ports.clock.now().timestamp()


def rise_of(ports: Ports, prometheus: str, query: str, within: Window) -> Counted:
    """What a counter rose by, from the scrape before the start to the one after the end.

    All of the time is unseen if Prometheus cannot be asked.
    """
    start, end = within
    step = max(1.0, (end - start) / _MOST_POINTS)
    try:
        every = ports.metrics(prometheus).each_between(
            query, start - MEMORY_SECONDS, end + step, step)
    except (CheckError, SpecError):
        return counted((), start, end)
    return counted(every, start, end, step)


def latest(ports: Ports, prometheus: str, query: str) -> Mapping[str, float] | None:
    """What each series of a counter was last seen at; None if nothing can be seen.

    A series that is missing now may have been there: an instance that hangs is not scraped.
    """
    asked = f"last_over_time(({query})[{MEMORY_SECONDS:g}s:{_MEMORY_STEP:g}s])"
    metrics = ports.metrics(prometheus)
    return {**metrics.now(asked).each, **metrics.now(query).each} or None


def rises_of(
    ports: Ports, prometheus: str, query: str, windows: Sequence[Window]
) -> Counted:
    """What a counter rose by in all of these times."""
    parts = [rise_of(ports, prometheus, query, within) for within in windows]
    return Counted(sum(p.rise for p in parts), sum(p.unseen for p in parts))
