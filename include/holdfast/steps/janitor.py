"""Clean up after keepers that died: what `revert` does, for leases that nobody else looks after."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from holdfast.clients.host import boot_id
from holdfast.errors import EvidenceError, ResidueError
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import StoreDown
from holdfast.steps.finish import journalled, known_lease, patience
from holdfast.steps.revert import ensure_clean

_OPENING = 90.0
"""How long an `arm` may take from its journal to its keeper. Seconds."""
_log = logging.getLogger("holdfast.janitor")


def sweep(ports: Ports) -> list[str]:
    """Finish every lease whose keeper is gone or overdue; one line of text for each.

    Works from the journals alone when the store is down or has lost the rows.
    """
    shown = _open_rows(ports)
    here = ports.journals.ids()
    deeds = {i: partial(_journal, ports, i, i in shown) for i in here}
    deeds |= {i: partial(_row, ports, row) for i, row in shown.items() if i not in deeds}
    lines = [_apart(lease_id, deed) for lease_id, deed in deeds.items()]
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


def _journal(ports: Ports, lease_id: str, shown: bool) -> str | None:
    state = journalled(ports, lease_id)
    if state is LeaseState.CLEAN:
        return _outcome(ports, lease_id) if shown and not ports.keepers.is_alive(lease_id) else None
    if state is None and not shown and _row_is_clean(ports, lease_id):
        return None  # a damaged journal of a lease that was finished all the same
    if _is_looked_after(ports, lease_id, state):
        return None
    return _outcome(ports, lease_id)


def _is_looked_after(ports: Ports, lease_id: str, state: LeaseState | None) -> bool:
    """By a keeper within its time, or by an `arm` that is about to start one."""
    lease = known_lease(ports, lease_id)
    age = _age(ports, lease_id)
    if lease is None or age is None:
        return False
    if ports.keepers.is_alive(lease_id):
        life = _OPENING * 2 + lease.delay_seconds + lease.duration_seconds
        return age < life + patience(ports, lease)
    return state is LeaseState.OPENED and age < _OPENING


def _age(ports: Ports, lease_id: str) -> float | None:
    """Seconds since the journal was made; None if that was before this boot, or is not known."""
    try:
        journal = ports.journals.open(lease_id)
        if journal.lease().boot_id != boot_id():
            return None
        return ports.clock.boottime() - journal.lines()[0].boottime
    except (EvidenceError, IndexError, OSError):
        return None


def _row_is_clean(ports: Ports, lease_id: str) -> bool:
    try:
        return ports.leases.read(lease_id).state is LeaseState.CLEAN
    except (StoreDown, KeyError):
        return False


def _row(ports: Ports, row: Lease) -> str | None:
    """A row without a journal here: an `arm` that has just begun, or another host's."""
    age = ports.clock.now() - datetime.fromisoformat(row.opened_at)
    return None if age.total_seconds() < _OPENING else _outcome(ports, row.id)


def _outcome(ports: Ports, lease_id: str) -> str:
    try:
        ensure_clean(ports, lease_id, "the janitor")
    except ResidueError as error:
        return str(error)
    return f"lease {lease_id}: {LeaseState.CLEAN}"
