"""The promise of a fault driver."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target


class FaultDriver(Protocol):
    """Break one kind of target and mend it. Each call may be repeated; then it changes nothing.

    What a driver makes bears the lease id as its mark; it reverts only what bears the mark or still
    has the value it set. Refusals are FaultError. No call may block for longer than 10 s, except
    `revert` of a one_shot fault, which waits for the target's own repair.
    """

    effect: Effect
    params: Mapping[str, Setting]

    def targets(self, fault: Fault) -> Sequence[Target]:
        """Name what would be hit now, and how much of it that is.

        Touch nothing. Refuse if it cannot be.
        """

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Work out how to do and undo the fault; roles resolve here. Touch nothing."""

    def inject(self, recipe: Recipe) -> None:
        """Break the target."""

    def revert(self, recipe: Recipe) -> None:
        """Mend the target from the recipe alone, whether or not `inject` began or finished."""

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Say what is left of the fault, seen by another path than `revert` used.

        Empty means clean.
        """
