"""See to it that one lease ends clean: wait for its keeper, or do the keeper's work."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from holdfast.clients.host import host_name, is_here
from holdfast.errors import EvidenceError, HoldfastError, SpecError
from holdfast.model.fault import Effect
from holdfast.model.lease import End, Lease, LeaseState
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import StoreDown
from holdfast.steps.adopt import Estate, adopt, facts_of, notes, show
from holdfast.steps.limit import within
from holdfast.steps.mend import LIMITS, Mended, mend

_PAUSE = 0.1
_INJECTION = 10.0
_MARGIN = 5.0
_REACTION = 2.0
"""Seconds beyond the lease after which a keeper that has not begun its revert never will."""
_ENDING = (LeaseState.REVERTING, LeaseState.CLEAN, LeaseState.UNCLEAN, LeaseState.UNPROVEN)
_ABSENT = 10.0
"""Seconds beyond the lease for which another host's marks must be absent."""


def finish(
    ports: Ports, lease_id: str, by: str, *, shown: bool = True
) -> tuple[LeaseState, str]:
    """Bring the lease to its end and say which, and why it is not clean if it is not.

    Waits while the keeper lives, for the longest it may need; then kills what is left of it, takes
    the lease's claim, reverts by the recipe and looks for residue. One that does not even begin to
    revert is frozen, and is not waited for any longer. With `shown` the store must say clean too.
    """
    try:
        ports.journals.open(lease_id)
    except KeyError:
        return _without_journal(ports, lease_id)
    lease = known_lease(ports, lease_id)
    if lease is not None and not is_kept_here(ports, lease):
        return _from_afar(ports, lease, by)
    return _here(ports, lease_id, lease, by, shown)


def is_kept_here(ports: Ports, lease: Lease) -> bool:
    """Whether the lease's keeper is, or was, one of this home's on this host."""
    return is_here(ports.settings.home, lease.host, lease.boot_id)


def patience(ports: Ports, lease: Lease | None) -> float:
    """The longest a keeper that should end now may need until its target is clean. Seconds."""
    if lease is None or lease.fault_type not in ports.drivers:
        return LIMITS[Effect.ONE_SHOT].total + _INJECTION + _MARGIN
    total = LIMITS[ports.drivers[lease.fault_type].effect].total
    return lease.lease_seconds + _INJECTION + total + _MARGIN


def known_lease(ports: Ports, lease_id: str) -> Lease | None:
    """The lease as its journal's first line has it, else as the store has it."""
    try:
        return ports.journals.open(lease_id).lease()
    except (KeyError, EvidenceError, OSError, TypeError, ValueError):
        pass
    try:
        return ports.leases.read(lease_id)
    except (KeyError, StoreDown, TypeError, ValueError):  # or a row of another version
        return None


def journalled(ports: Ports, lease_id: str) -> LeaseState | None:
    """The journal's last state; None if it cannot be read. KeyError if there is none."""
    try:
        return ports.journals.open(lease_id).lines()[-1].state
    except (EvidenceError, IndexError, OSError, ValueError):
        return None


def estate_of(ports: Ports) -> Estate:
    """What `adopt` needs of a step's ports."""
    return Estate(ports.leases, ports.journals, ports.drivers, ports.clock)


def _here(
    ports: Ports, lease_id: str, lease: Lease | None, by: str, shown: bool
) -> tuple[LeaseState, str]:
    began = ports.clock.boottime()
    reaction = (lease.lease_seconds if lease else _INJECTION) + _REACTION
    while (passed := ports.clock.boottime() - began) < patience(ports, lease):
        clean = journalled(ports, lease_id) is LeaseState.CLEAN
        if clean and (not shown or _is_shown(ports, lease_id)):
            return LeaseState.CLEAN, ""
        if passed >= reaction and not _is_ending(ports, lease_id):
            ports.keepers.kill(lease_id)
        if not ports.keepers.is_alive(lease_id):
            done = _take_over(ports, lease_id, by)
            if done is not None:
                return done
        ports.clock.sleep(_PAUSE)
    ports.keepers.kill(lease_id)
    done = _take_over(ports, lease_id, by)
    return done or (LeaseState.UNPROVEN, "somebody else has held its claim too long")


def _is_ending(ports: Ports, lease_id: str) -> bool:
    """Whether its keeper has begun to revert, as its journal says, or the store for a bad one."""
    state = journalled(ports, lease_id)
    try:
        return (state or ports.leases.read(lease_id).state) in _ENDING
    except (KeyError, StoreDown, TypeError, ValueError):
        return False


def _is_shown(ports: Ports, lease_id: str) -> bool:
    """Whether the store has it too, or cannot have it now: the journal is the truth."""
    try:
        return ports.leases.read(lease_id).state is LeaseState.CLEAN
    except (StoreDown, KeyError):
        return True


def _take_over(ports: Ports, lease_id: str, by: str) -> tuple[LeaseState, str] | None:
    """Adopt, unless somebody else has the claim."""
    with ports.journals.claim(lease_id) as ours:
        if not ours:
            return None
        try:
            state = adopt(estate_of(ports), lease_id, End.ADOPTED, by)
        except (EvidenceError, SpecError, OSError) as error:
            return _unproven(ports, lease_id, str(error))
        return state, "" if state is LeaseState.CLEAN else _why(ports, lease_id)


def _why(ports: Ports, lease_id: str) -> str:
    try:
        lines = tuple(ports.journals.open(lease_id).lines())
    except (EvidenceError, OSError) as error:
        return str(error)
    return str(facts_of(lines).get("detail", ""))


def _without_journal(ports: Ports, lease_id: str) -> tuple[LeaseState, str]:
    """Without a recipe only a lease that no keeper ever claimed can be closed.

    That of another host is ended there: its keeper, or else its janitor, is waited for.
    """
    row = _awaited(ports, ports.leases.read(lease_id))
    if row.state is LeaseState.CLEAN:
        return row.state, ""
    facts = {"ended": End.ADOPTED, "detail": "no keeper was ever started"}
    if row.state is LeaseState.OPENED and show(
        estate_of(ports), lease_id, LeaseState.CLEAN, facts
    ):
        return LeaseState.CLEAN, ""
    where = f"the journal is not on {host_name()}; look on {row.host_name}"
    return _unproven(ports, lease_id, where)


def _awaited(ports: Ports, row: Lease) -> Lease:
    """The row of another host's lease when that host has ended it, or has had the time to.

    One that is unproven already was waited for before. A store that is away may come back.
    """
    until = ports.clock.boottime() + patience(ports, row)
    while not is_kept_here(ports, row) and ports.clock.boottime() < until and \
            row.state not in (LeaseState.CLEAN, LeaseState.UNPROVEN):
        ports.clock.sleep(_PAUSE)
        with suppress(StoreDown, KeyError):
            row = ports.leases.read(row.id)
    return row


def _from_afar(ports: Ports, lease: Lease, by: str) -> tuple[LeaseState, str]:
    """Its keeper cannot be killed from here: only marks absent for a while prove the end."""
    with ports.journals.claim(lease.id) as ours:
        if not ours:
            return LeaseState.UNPROVEN, "somebody else has its claim"
        journal = ports.journals.open(lease.id)
        if journalled(ports, lease.id) is LeaseState.CLEAN:
            show(estate_of(ports), lease.id, LeaseState.CLEAN, facts_of(tuple(journal.lines())))
            return LeaseState.CLEAN, ""
        recipe = journal.recipe()
        with notes(estate_of(ports), journal, lease.id) as note:
            facts: dict[str, object] = {"ended": End.ADOPTED, "detail": f"by {by}, from afar"}
            note.reverting(facts)
            driver = ports.drivers[recipe.fault_type]
            mended = mend(driver, recipe, ports.clock)
            if mended.state is LeaseState.CLEAN:
                mended = _stays_away(ports, lease, partial(driver.residue, recipe), mended)
            note.final(mended.state, facts | mended.facts())
            return mended.state, mended.detail


def _stays_away(
    ports: Ports, lease: Lease, residue: Callable[[], Sequence[str]], mended: Mended
) -> Mended:
    until = ports.clock.boottime() + lease.lease_seconds + _ABSENT
    while ports.clock.boottime() < until:
        try:
            left = within(10.0, residue, "residue")
        except HoldfastError as error:
            return replace(mended, state=LeaseState.UNPROVEN, detail=str(error), clean_at=None)
        if left:
            why = "came back: " + "; ".join(left)
            return replace(mended, state=LeaseState.UNPROVEN, detail=why, clean_at=None)
        ports.clock.sleep(1.0)
    return replace(mended, clean_at=ports.clock.boottime())


def _unproven(ports: Ports, lease_id: str, why: str) -> tuple[LeaseState, str]:
    show(estate_of(ports), lease_id, LeaseState.UNPROVEN, {"detail": why})
    return LeaseState.UNPROVEN, why

