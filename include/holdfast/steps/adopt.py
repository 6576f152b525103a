"""Finish the life of a fault whose keeper is gone. The caller holds the lease's claim."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from holdfast.clock import Clock
from holdfast.errors import EvidenceError, HoldfastError
from holdfast.model.lease import End, LeaseState
from holdfast.ports.faults import FaultDriver
from holdfast.ports.leases import Journal, Journals, LeaseStore, Line, StoreDown
from holdfast.steps.limit import within
from holdfast.steps.mend import mend
from holdfast.steps.mirror import FACTS, mirror
from holdfast.steps.scribe import Scribe

_log = logging.getLogger("holdfast.adopt")
_MIRROR_SECONDS = 3.0
_QUICK_SECONDS = 0.25
"""How long journal and store may each hold up a revert. Seconds."""
_FINAL_SECONDS = 10.0
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Estate:
    """What is needed to finish a fault: less than a step has, for a keeper's child does it too."""

    leases: LeaseStore
    journals: Journals
    drivers: Mapping[str, FaultDriver]
    clock: Clock


def adopt(estate: Estate, lease_id: str, end: End, by: str) -> LeaseState:
    """Revert by the recipe, look for residue, and write down how it went.

    `end` is why the fault ended, unless the keeper had already written its own reason. A journal
    that is damaged or cannot be written, and a store that is down, delay nothing. EvidenceError
    only if the recipe itself cannot be read.
    """
    journal = estate.journals.open(lease_id)
    lines = _lines(journal)
    known = facts_of(lines or ())
    last = lines[-1].state if lines else None
    if last is LeaseState.CLEAN:
        show(estate, lease_id, last, known)
        return last
    facts = {"ended": end, "detail": f"finished by {by}"} | known
    with notes(estate, journal, lease_id) as note:
        if last in (LeaseState.OPENED, LeaseState.ARMED):  # the target was never touched
            note.final(LeaseState.CLEAN, facts | {"clean_at": estate.clock.boottime()})
            return LeaseState.CLEAN
        recipe = journal.recipe()
        note.reverting(facts)
        mended = mend(estate.drivers[recipe.fault_type], recipe, estate.clock)
        note.final(mended.state, facts | mended.facts())
        return mended.state


def facts_of(lines: tuple[Line, ...]) -> dict[str, object]:
    """What the lines say of the fault; later lines win, but the first reason of the end stays."""
    facts: dict[str, object] = {}
    for line in lines:
        ended = facts.get("ended")
        facts |= {name: line.facts[name] for name in FACTS if name in line.facts}
        if ended is not None:
            facts["ended"] = ended
    return facts


def show(
    estate: Estate, lease_id: str, state: LeaseState, facts: Mapping[str, object]
) -> bool:
    """Mirror to the store if it answers within a few seconds; the janitor tries again later."""
    until = estate.clock.boottime() + _MIRROR_SECONDS
    while True:
        try:
            return mirror(estate.leases, lease_id, state, facts)
        except KeyError:
            _log.warning("lease %s is not in the store; its journal says %s", lease_id, state)
            return False
        except StoreDown as error:
            if estate.clock.boottime() >= until:
                _log.warning("lease %s is %s, but the store is down: %s", lease_id, state, error)
                return False
        estate.clock.sleep(_PAUSE)


@contextmanager
def notes(estate: Estate, journal: Journal, lease_id: str) -> Iterator["Notes"]:
    """What is written of a revert, for as long as it lasts. The caller has the lease's claim."""
    scribe = Scribe(journal)
    scribe.start()
    try:
        yield Notes(estate, scribe, lease_id)
    finally:
        scribe.end()


@dataclass(frozen=True, slots=True)
class Notes:
    """Journal and row of a lease: neither a disk nor a store that hangs holds up its revert."""

    estate: Estate
    scribe: Scribe
    lease_id: str

    def reverting(self, facts: dict[str, object]) -> None:
        """Say that the revert begins, as far as that is quick."""
        self._write(LeaseState.REVERTING, _QUICK_SECONDS, facts)
        show = partial(mirror, self.estate.leases, self.lease_id, LeaseState.REVERTING, facts)
        try:
            within(_QUICK_SECONDS, show, "the row")
        except HoldfastError as error:
            _log.warning("lease %s is reverting, not shown in the store: %s", self.lease_id, error)

    def final(self, state: LeaseState, facts: dict[str, object]) -> None:
        """Say how it ended."""
        self._write(state, _FINAL_SECONDS, facts)
        show(self.estate, self.lease_id, state, facts)

    def _write(self, state: LeaseState, wait: float, facts: dict[str, object]) -> None:
        if not self.scribe.write(state, wait, **facts):
            _log.error("lease %s is %s, which is not in its journal yet", self.lease_id, state)


def _lines(journal: Journal) -> tuple[Line, ...] | None:
    try:
        return tuple(journal.lines())
    except (EvidenceError, OSError) as error:
        _log.error("%s; reverting by the recipe all the same", error)
        return None
