"""Clean up after keepers that died: what `revert` does, for leases that nobody else looks after."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from holdfast.clients.host import boot_id
from holdfast.errors import EvidenceError, ResidueError
from holdfast.model.lease import Lease, LeaseState, Reason
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import StoreDown
from holdfast.steps.finish import is_kept_here, journalled, known_lease, patience
from holdfast.steps.revert import WATCHED, ensure_clean, revoke_open
from holdfast.steps.settle import settle_abandoned
from holdfast.steps.unanswered import close_unanswered

_OPENING = 90.0
"""How long an `arm` may take from its journal to its keeper. Seconds."""
_SILENCE = 3.0
"""How long a keeper may give no sign of life; the guard allows as much. Seconds."""
_PAUSE = 0.1
_log = logging.getLogger("holdfast.janitor")


def sweep(ports: Ports) -> list[str]:
    """Finish every lease whose keeper is gone or overdue; one line of text for each.

    Works from the journals alone when the store is down or has lost the rows. Money that is still
    set aside for a run that has ended, or died, is settled afterwards, and a run that nobody has
    approved in time ends.
    """
    shown = _open_rows(ports)
    here = ports.journals.ids()
    kept = [lease_id for lease_id in here if ports.keepers.is_alive(lease_id)]
    lines = [
        _apart(i, partial(_journal, ports, i, i in shown, False)) for i in here if i not in kept
    ]
    lines += [_apart(i, partial(_row, ports, shown[i])) for i in shown if i not in here]
    silent = _silent(ports, [shown[i] for i in kept if i in shown])
    lines += [_apart(i, partial(_journal, ports, i, i in shown, i in silent)) for i in kept]
    settle_abandoned(ports)
    close_unanswered(ports)
    return [line for line in lines if line is not None]


def _apart(lease_id: str, deed: Callable[[], str | None]) -> str | None:
    """One lease's outcome; what goes wrong with it may not keep the other leases' faults on."""
    try:
        return deed()
    except Exception as error:  # noqa: BLE001 - the border between two leases
        _log.exception("lease %s could not be looked after", lease_id)
        return f"lease {lease_id}: {type(error).__name__}: {error}"


def _open_rows(ports: Ports) -> dict[str, Lease]:
    try:
        return {row.id: row for row in ports.leases.leases(open_only=True)}
    except (StoreDown, TypeError, ValueError):  # or a row of another version
        return {}


def _silent(ports: Ports, kept: Sequence[Lease]) -> set[str]:
    """Those whose keeper is there, but gives no sign of life while it is looked at.

    One that has not yet armed gives none; without the store nobody can tell.
    """
    beats = {row.id: row.beat for row in kept if row.state is not LeaseState.OPENED}
    until = ports.clock.boottime() + _SILENCE
    while beats and ports.clock.boottime() < until:
        ports.clock.sleep(_PAUSE)
        now = _open_rows(ports)
        beats = {i: beat for i, beat in beats.items() if i in now and now[i].beat == beat}
    return set(beats)


def _journal(ports: Ports, lease_id: str, shown: bool, silent: bool) -> str | None:
    state = journalled(ports, lease_id)
    if state is LeaseState.CLEAN:
        return _outcome(ports, lease_id) if shown and not ports.keepers.is_alive(lease_id) else None
    if not shown and _row_is_clean(ports, lease_id) and (state is None or _is_far(ports, lease_id)):
        return None  # finished all the same, though this journal is damaged or only a copy
    if not silent and _is_looked_after(ports, lease_id, state):
        return None
    if ports.keepers.is_alive(lease_id):
        why = "its keeper gives no sign of life" if silent else "its keeper has not ended it"
        revoke_open(ports, lease_id, Reason.KEEPER_SILENT, why, "the janitor")
    return _outcome(ports, lease_id)


def _is_looked_after(ports: Ports, lease_id: str, state: LeaseState | None) -> bool:
    """By a keeper within its time, or by an `arm` that is about to start one."""
    lease = known_lease(ports, lease_id)
    age = _age(ports, lease_id)
    if lease is None or age is None:
        return False
    if ports.keepers.is_alive(lease_id):
        return age < _life(ports, lease) and not _is_ignored(ports, lease_id, state)
    return state is LeaseState.OPENED and age < _OPENING


def _life(ports: Ports, lease: Lease) -> float:
    life = _OPENING * 2 + lease.delay_seconds + lease.duration_seconds
    return life + patience(ports, lease)


def _is_ignored(ports: Ports, lease_id: str, state: LeaseState | None) -> bool:
    """Whether the lease was revoked and its keeper has not begun to end it."""
    try:
        return state in WATCHED and ports.leases.read(lease_id).revoked is not None
    except (StoreDown, KeyError):
        return False


def _age(ports: Ports, lease_id: str) -> float | None:
    """Seconds since the journal was made; None if that was before this boot, or is not known."""
    try:
        journal = ports.journals.open(lease_id)
        if journal.lease().boot_id != boot_id():
            return None
        return ports.clock.boottime() - journal.lines()[0].boottime
    except (EvidenceError, IndexError, OSError):
        return None


def _is_far(ports: Ports, lease_id: str) -> bool:
    lease = known_lease(ports, lease_id)
    return lease is not None and not is_kept_here(ports, lease)


def _row_is_clean(ports: Ports, lease_id: str) -> bool:
    try:
        return ports.leases.read(lease_id).state is LeaseState.CLEAN
    except (StoreDown, KeyError):
        return False


def _row(ports: Ports, row: Lease) -> str | None:
    """A row without a journal here: an `arm` that has just begun, or another host's.

    That host has a keeper and a janitor of its own; here it is told of when they have not ended it.
    """
    age = ports.clock.now() - datetime.fromisoformat(row.opened_at)
    life = _OPENING if is_kept_here(ports, row) else _life(ports, row)
    return None if age.total_seconds() < life else _outcome(ports, row.id)


def _outcome(ports: Ports, lease_id: str) -> str:
    try:
        ensure_clean(ports, lease_id, "the janitor")
    except ResidueError as error:
        return str(error)
    return f"lease {lease_id}: {LeaseState.CLEAN}"
