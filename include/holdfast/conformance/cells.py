"""Which deaths a fault driver is put through: who dies, how, and at which moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

LINES = ("injecting", "active", "reverting", "clean")
"""Journal lines that the keeper's parent writes with its child at its side."""
CALLS = ("revert", "residue")
"""What the parent asks of the driver; `inject` is the child's."""


class Party(StrEnum):
    """Who is hit."""

    PARENT = "keeper's parent"
    CHILD = "keeper's child"
    BOTH = "keeper, both"
    GUARD = "guard"
    STORE = "lease store"
    ALL = "guard, keeper, store"


class Blow(StrEnum):
    """How."""

    KILL = "SIGKILL"
    TERM = "SIGTERM"
    STOP = "SIGSTOP, SIGCONT"  # for longer than the lease
    GONE = "gone, then back"
    OLDER = "an older copy"


@dataclass(frozen=True, slots=True)
class Cell:
    """One death. `moment` is a state (`armed`, `active`) or a gap: `before inject`, `after clean`.

    At a gap the process that came there has stopped itself, so that the blow falls just there.
    """

    driver: str
    party: Party
    moment: str
    blow: Blow

    @property
    def is_gap(self) -> bool:
        """Whether the keeper stops itself there."""
        return " " in self.moment

    @property
    def ends_first(self) -> bool:
        """Whether the fault's end must have begun for the moment to come."""
        return self.moment.partition(" ")[2] in (*LINES[2:], *CALLS)


def cells(drivers: Sequence[str], thorough: Sequence[str] = ()) -> Iterator[Cell]:
    """The plain deaths of every driver, and for the thorough ones every gap and blow as well."""
    for driver in drivers:
        yield from _plain(driver)
        if driver in thorough:
            yield from _every(driver)


def _plain(driver: str) -> Iterator[Cell]:
    for party in (Party.PARENT, Party.CHILD, Party.BOTH):
        for moment in ("armed", "before inject", "after inject", "active"):
            yield Cell(driver, party, moment, Blow.KILL)
    yield Cell(driver, Party.PARENT, "after reverting", Blow.KILL)
    yield Cell(driver, Party.PARENT, "after revert", Blow.KILL)
    yield Cell(driver, Party.GUARD, "armed", Blow.KILL)
    yield Cell(driver, Party.GUARD, "active", Blow.KILL)
    yield Cell(driver, Party.STORE, "active", Blow.GONE)
    yield Cell(driver, Party.ALL, "active", Blow.GONE)


def _every(driver: str) -> Iterator[Cell]:
    known = set(_plain(driver))
    gaps = [f"{side} {what}" for what in (*LINES, *CALLS) for side in ("before", "after")]
    alone = [Cell(driver, Party.PARENT, gap, blow) for gap in gaps for blow in list(Blow)[:3]]
    child = [
        Cell(driver, party, moment, blow)
        for party in (Party.PARENT, Party.CHILD, Party.BOTH)
        for moment in ("armed", "before inject", "after inject", "active")
        for blow in list(Blow)[:3]
    ]
    store = [
        Cell(driver, Party.STORE, moment, blow)
        for moment in ("armed", "after injecting", "active", "before reverting", "before clean")
        for blow in (Blow.GONE, Blow.OLDER)
    ]
    guard = [Cell(driver, Party.GUARD, moment, Blow.KILL)
             for moment in ("after injecting", "before inject", "after inject", "before active")]
    yield from (cell for cell in (*alone, *child, *store, *guard) if cell not in known)
