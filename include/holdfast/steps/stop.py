"""End every fault now, even when Airflow or the store is down."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from holdfast.errors import EvidenceError, HoldfastError, Postponed, ResidueError
from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.model.run import Entry, EntryKind
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import StoreDown
from holdfast.steps.finish import journalled, known_lease
from holdfast.steps.limit import within
from holdfast.steps.revert import ensure_clean
from holdfast.steps.stops import trim, write_stop

STORE_SECONDS, SHARED_STORE_SECONDS = 1.0, 15.0
"""How long a stop waits for the store before it goes on without: files of this host answer at
once; a server may be found only behind a node that is down."""
_log = logging.getLogger("holdfast.stop")


def stop(
    ports: Ports, who: str, why: str, run_id: str | None = None, hold: str = ""
) -> dict[str, LeaseState]:
    """End every fault, or every fault of one run, because a person says so."""
    at = ports.clock.now().isoformat()
    return end_faults(ports, Revocation(Reason.STOPPED, why, who, at), run_id, hold)


def end_faults(
    ports: Ports, revocation: Revocation, run_id: str | None, hold: str = ""
) -> dict[str, LeaseState]:
    """End every fault, or every fault of one run, and say how each ended.

    Three ways at once, each good enough alone: the stops file that keepers look at, the store
    (epoch and revocations), and a signal to each keeper. Waits until each lease is clean, reverting
    itself where the keeper is gone. `hold` refuses new faults until `release`: the store says so,
    and a file of this home where the store is a file too or did not answer. ResidueError if a
    store that machines share did not take the stop: nobody has told the others.
    """
    said = (revocation.by, revocation.text, revocation.at)
    _try("the stops file", lambda: write_stop(ports.settings.stops, *said, run_id))
    mine = _journalled(ports, run_id)
    found: list[str] = []
    limit = SHARED_STORE_SECONDS if ports.settings.store else STORE_SECONDS
    known = _try("the store", lambda: found.extend(within(
        limit, lambda: ports.leases.stop(revocation, run_id=run_id, hold=hold), "the stop"
    )))
    if hold and (not known or (run_id is None and not ports.settings.store)):
        _try("the hold file", lambda: _hold(ports, hold))  # a lost store still refuses
    concerned = list(dict.fromkeys([*found, *mine]))
    _end_keepers(ports, concerned)
    told = known and _try("the books", lambda: within(
        limit, lambda: _tell_runs(ports, revocation, run_id), "the note of the stop"
    ))
    ends = {lease_id: _apart(ports, lease_id) for lease_id in concerned}
    if ports.settings.store and not told:
        raise _not_told(known, ends)
    return ends


def _not_told(known: bool, ends: Mapping[str, LeaseState]) -> ResidueError:
    ended = ", ".join(f"lease {i} {state}" for i, state in ends.items()) or "none was on"
    if known:
        said = ("the store took the stop, but not its note in the books: faults end everywhere, yet"
                " runs that wait on other machines may go on; give the stop again")
    else:
        said = ("the store did not take the stop, so faults of other machines may be on; stop them"
                " there")
    return ResidueError(f"{said} (here: {ended})", lease=", ".join(ends))


def stop_here(ports: Ports, who: str, why: str) -> dict[str, LeaseState]:
    """End the faults that this machine keeps, and no other's; say how each ended."""
    mine = _journalled(ports, None)
    at = ports.clock.now().isoformat()
    _end_keepers(ports, mine)
    for lease_id in mine:
        told = Revocation(Reason.STOPPED, why, who, at)
        _try(f"the store of {lease_id}", partial(ports.leases.revoke, lease_id, told))
    return {lease_id: _apart(ports, lease_id) for lease_id in mine}


def release(ports: Ports, environment: str = "") -> None:
    """End the hold of one environment, or every hold.

    Postponed if one is asked for while all are held: that is for `release` without a name.
    """
    if environment and (ports.settings.hold.exists() or ports.leases.environment("").hold):
        raise Postponed("every environment is held; holdfast release --all ends that")
    names = [environment] if environment else ["", *(e.name for e in ports.leases.environments())]
    for name in names:
        ports.leases.release(name)
    ports.settings.hold.unlink(missing_ok=True)
    try:
        trim(ports.settings.stops)
    except OSError as error:
        _log.warning("%s keeps its lines: %s", ports.settings.stops, error)


def _tell_runs(ports: Ports, revocation: Revocation, run_id: str | None) -> None:
    """Runs that wait have no lease that could be revoked, and may go on where no file tells."""
    for run in ports.books.going():
        if run_id in (None, run.id):
            told = {"by": revocation.by, "why": revocation.text}
            ports.books.write(Entry(run.id, EntryKind.STOP, "stop", told, at=revocation.at))


def _end_keepers(ports: Ports, leases: Sequence[str]) -> None:
    for lease_id in leases:
        _try(f"the keeper of {lease_id}", partial(ports.keepers.end, lease_id))


def _hold(ports: Ports, why: str) -> None:
    ports.settings.hold.write_text(why + "\n")


def _try(what: str, deed: Callable[[], object]) -> bool:
    """Do it; say so if it fails, for there are other ways to the same end."""
    try:
        deed()
    except (HoldfastError, OSError) as error:
        _log.warning("%s did not take the stop: %s", what, error)
        return False
    return True


def _journalled(ports: Ports, run_id: str | None) -> list[str]:
    """Leases that are not clean as this host's journals know them."""
    dirty = [i for i in ports.journals.ids() if journalled(ports, i) is not LeaseState.CLEAN]
    return [i for i in dirty if run_id is None or _is_of(ports, i, run_id)]


def _is_of(ports: Ports, lease_id: str, run_id: str) -> bool:
    lease = known_lease(ports, lease_id)
    return lease is None or lease.run_id == run_id


def _apart(ports: Ports, lease_id: str) -> LeaseState:
    """How one lease ended; what goes wrong with it may not keep the other leases' faults on."""
    try:
        return _end(ports, lease_id)
    except ResidueError:
        return journalled_or_row(ports, lease_id)
    except Exception:  # noqa: BLE001 - the border between two leases
        _log.exception("lease %s could not be ended", lease_id)
        return LeaseState.UNPROVEN


def _end(ports: Ports, lease_id: str) -> LeaseState:
    """Believe a journal that says clean: a store that is down may learn it later."""
    ensure_clean(ports, lease_id, "the stop", shown=False)
    return LeaseState.CLEAN


def journalled_or_row(ports: Ports, lease_id: str) -> LeaseState:
    """What is known of a lease that did not end clean."""
    try:
        state = journalled(ports, lease_id)
        return state or ports.leases.read(lease_id).state
    except (KeyError, EvidenceError, StoreDown, TypeError, ValueError):
        return LeaseState.UNPROVEN
