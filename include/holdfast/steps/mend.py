"""Revert a fault from its recipe, and prove by the driver's other path that it is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from holdfast.clock import Clock
from holdfast.errors import HoldfastError
from holdfast.model.fault import Effect, Recipe
from holdfast.model.lease import LeaseState
from holdfast.ports.faults import FaultDriver
from holdfast.steps.limit import within


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: one call of `revert`; one of `residue`; looking again after a revert; all of it."""

    revert: float
    residue: float
    settle: float
    total: float


_ONE_SHOT = Limits(revert=75.0, residue=10.0, settle=5.0, total=90.0)
LIMITS: Mapping[Effect, Limits] = {
    Effect.HELD: Limits(revert=10.0, residue=10.0, settle=3.0, total=30.0),
    Effect.ONE_SHOT: _ONE_SHOT,      # its revert waits for the target's own repair
    Effect.IRREVERSIBLE: _ONE_SHOT,
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Mended:
    """How it went: CLEAN, UNCLEAN (`detail` says what is left) or UNPROVEN (why not seen)."""

    state: LeaseState
    detail: str
    reverted_at: float | None
    clean_at: float | None

    def facts(self) -> dict[str, object]:
        """For the journal and the row."""
        facts: dict[str, object] = {}
        if self.detail:
            facts["detail"] = self.detail
        if self.reverted_at is not None:
            facts["reverted_at"] = self.reverted_at
        if self.clean_at is not None:
            facts["clean_at"] = self.clean_at
        return facts


def mend(
    driver: FaultDriver, recipe: Recipe, clock: Clock, limits: Limits | None = None
) -> Mended:
    """Revert until `residue` is empty after a revert that returned, for a bounded time.

    An empty residue alone proves nothing while the revert fails: the target may be out of sight.
    No revert begins that might not end in time; after one that returned it is looked on instead.
    """
    limits = limits or LIMITS[driver.effect]
    until = clock.boottime() + limits.total
    pause, reverted_at, trouble = _FIRST_PAUSE, None, ""
    left: tuple[str, ...] = ()
    reverts = True
    while reverts or reverted_at is not None:
        try:
            if reverts:
                within(limits.revert, partial(driver.revert, recipe), "revert")
                reverted_at = clock.boottime()
            left = _look(driver, recipe, clock, limits)
            if not left:
                return Mended(LeaseState.CLEAN, "", reverted_at, clock.boottime())
        except HoldfastError as error:
            trouble = str(error)
        if clock.boottime() >= until:
            break
        clock.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
        reverts = clock.boottime() + limits.revert <= until
    if left:
        return Mended(LeaseState.UNCLEAN, "left: " + "; ".join(left), reverted_at, None)
    return Mended(LeaseState.UNPROVEN, f"not proven clean: {trouble}", reverted_at, None)


def _look(
    driver: FaultDriver, recipe: Recipe, clock: Clock, limits: Limits
) -> tuple[str, ...]:
    """What is left of the fault, once the other path has had time to see the revert."""
    until, pause = clock.boottime() + limits.settle, _FIRST_PAUSE
    while True:
        left = tuple(within(limits.residue, partial(driver.residue, recipe), "residue"))
        if not left or clock.boottime() >= until:
            return left
        clock.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
