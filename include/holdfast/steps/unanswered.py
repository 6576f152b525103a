"""End runs that nobody has approved in time, though Airflow never came to say so."""

import logging
from datetime import datetime, timedelta

from holdfast.errors import HoldfastError, Postponed
from holdfast.model.run import EntryKind
from holdfast.ports.bundle import Ports
from holdfast.steps.approval import Given, answer, pending_request
from holdfast.steps.book import stopped_since
from holdfast.steps.postpone import postpone

PATIENCE = timedelta(minutes=2)
"""How much longer than the request Airflow may take to say that its time is over."""
_log = logging.getLogger("holdfast.approval")


def close_unanswered(ports: Ports) -> None:
    """Postpone each run whose request is overdue, or that was stopped while it waited."""
    try:
        going = [run.id for run in ports.books.going()]
    except HoldfastError as error:
        _log.warning("runs that wait for an approval cannot be found: %s", error)
        return
    for run_id in going:
        try:
            _close(ports, run_id)
        except HoldfastError as error:
            _log.warning("run %s cannot be looked after while it waits: %s", run_id, error)


def _close(ports: Ports, run_id: str) -> None:
    if not ports.books.read(run_id, EntryKind.APPROVAL):
        return
    asked = pending_request(ports, run_id)
    if asked is None:
        return
    overdue = ports.clock.now() - datetime.fromisoformat(str(asked["until"]))
    if stopped := stopped_since(ports, run_id):
        postpone(ports, run_id, stopped)
    elif overdue > PATIENCE:
        try:
            answer(ports, run_id, Given(yes=False))
        except Postponed as no:
            postpone(ports, run_id, no.reason)
