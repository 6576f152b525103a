"""End a run that may not start now: it says why, tells somebody, and is no failure."""

from dataclasses import replace

from holdfast.model.run import EntryKind, Notice, RunState
from holdfast.ports.bundle import Ports
from holdfast.steps.book import write


def postpone(ports: Ports, run_id: str, reason: str) -> None:
    """Write the run as postponed; again with the same reason changes nothing and tells nobody."""
    run = ports.books.run(run_id)
    if run is None or (run.state is RunState.POSTPONED and run.reason == reason):
        return
    ended = ports.clock.now().isoformat()
    ports.books.close_run(
        replace(run, state=RunState.POSTPONED, reason=reason, ended_at=ended)
    )
    write(ports, run_id, EntryKind.NOTICE, "postponed", {"text": reason})
    ports.notifier.tell(Notice("postponed", run_id, run.suite, reason))
