"""A run that may not start now: it tries again for a while, or ends, and is no failure."""

from dataclasses import replace
from datetime import datetime, timedelta

from holdfast.errors import Postponed, Stopped, TooLate
from holdfast.model.run import Entry, EntryKind, Notice, RunState
from holdfast.ports.bundle import Ports
from holdfast.steps.book import is_dry, note_stop, run_of, suite_of, write
from holdfast.steps.seal import has_open_start, seal
from holdfast.steps.spend import give_back
from holdfast.steps.workloads import stop_workloads

PAUSE = timedelta(minutes=5)
"""Between two tries; shorter where a run tries for less than an hour."""


def postpone(ports: Ports, run_id: str, reason: str) -> None:
    """Write the run as postponed; again with the same reason changes nothing and tells nobody.

    Where its start is on record, its end is too, now: `verdict` does not run after a `reserve` that
    postpones. EvidenceError if that cannot be signed.
    """
    run = ports.books.run(run_id)
    if run is None or (run.state is RunState.POSTPONED and run.reason == reason):
        return
    ended = ports.clock.now().isoformat()
    ports.books.close_run(
        replace(run, state=RunState.POSTPONED, reason=reason, ended_at=ended)
    )
    write(ports, run_id, EntryKind.NOTICE, "postponed", {"text": reason})
    ports.notifier.tell(Notice("postponed", run_id, run.suite, reason))
    if has_open_start(ports, run_id):
        seal(ports, run_id)


def wait(ports: Ports, run_id: str, why: Postponed) -> datetime | None:
    """Say when the run tries again, if its suite lets it and the time for that is not over.

    Until then it gives back its environment and its money, and its workloads end. Each try is in
    the book.
    """
    run = ports.books.run(run_id)
    if run is None or isinstance(why, TooLate):
        return None
    span, now = suite_of(ports, run_id).retry_for, ports.clock.now()
    if not span or is_dry(ports, run_id):
        return None
    before = waits(ports, run_id)
    until = datetime.fromisoformat(str(before[0].data["until"])) if before else now + span
    again = max(now, why.opens) if why.opens else now + min(PAUSE, span / 12)
    if again > until:
        return None
    write(ports, run_id, EntryKind.WAIT, f"try-{len(before) + 1}", {
        "reason": why.reason, "again": again.isoformat(), "until": until.isoformat(),
    })
    stop_workloads(ports, run_id)
    ports.leases.unlock(run.environment, run_id)
    give_back(ports, run_id)
    return again


def waits(ports: Ports, run_id: str) -> list[Entry]:
    """Every try of the run that was postponed, oldest first."""
    return list(ports.books.read(run_id, EntryKind.WAIT))


def come_back(ports: Ports, run_id: str, *, measure: bool = False) -> None:
    """After a wait, do what came before again: nothing of it is still true.

    The environment is taken again, the target looked at again if `measure`. Stopped if somebody has
    stopped the run meanwhile; Postponed as ever.
    """
    from holdfast.steps.baseline import baseline
    from holdfast.steps.preflight import preflight
    from holdfast.steps.reserve import reserve

    environment = ports.leases.environment(run_of(ports, run_id).environment)
    if environment.locked_by == run_id or not waits(ports, run_id):
        return
    if why := note_stop(ports, run_id):
        raise Stopped(why)
    preflight(ports, run_id)
    reserve(ports, run_id)
    if measure:
        baseline(ports, run_id)
