"""Kill processes again and again: whenever somebody starts them, they die."""

from collections.abc import Mapping, Sequence

from holdfast.faults._selector import number
from holdfast.faults.process import _kill, _own, _trees
from holdfast.faults.process._trees import Trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_PATIENCE = 8.0
_MARGIN_SECONDS = 30


class CrashLoopDriver:
    """A worker of the lease kills the trees named by pid files as long as it lives."""

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {
        "steady": Setting(
            "duration", 1.0, "how long it must have run again to count as mended",
            low=0.1, high=5.0,
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """One for each pid file."""
        return _trees.targets(fault)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the pid files and whom they name."""
        trees = _trees.armed(fault, f"crash-loop/{lease_id}")
        limit = fault.duration.total_seconds() + fault.delay.total_seconds() + _MARGIN_SECONDS
        return Recipe(lease_id, fault.type, {
            **trees.as_undo(), "roots": _kill.roots(fault), "seconds": round(limit),
            "steady": number(fault, "steady", 1.0),
        })

    def inject(self, recipe: Recipe) -> None:
        """Start the worker; it has killed once when this returns."""
        if _own.running(recipe.lease_id):
            return
        files = [root.file for root in _kill.roots_of(recipe.undo)]
        seconds = int(str(recipe.undo["seconds"]))
        _own.start(recipe.lease_id, seconds, "crash", Trees.of(recipe.undo).notes, *files)

    def revert(self, recipe: Recipe) -> None:
        """End the worker, then wait until those it killed have run for a while."""
        _own.end(recipe.lease_id)
        _kill.finish(Trees.of(recipe.undo))  # whom the worker was just at
        gone = _gone(recipe)
        if gone:
            _kill.wait_back(gone, _PATIENCE, float(str(recipe.undo["steady"])))

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Workers by the mark in their environment, and whom psutil does not see back."""
        left = _kill.outlived(Trees.of(recipe.undo))
        left += [f"worker {pid} of the lease is there" for pid in _own.marked(recipe.lease_id)]
        steady = float(str(recipe.undo["steady"]))
        return left + [text for root in _gone(recipe) if (text := _kill.not_back(root, steady))]


def _gone(recipe: Recipe) -> list[_kill.Root]:
    """Whom this fault has killed; what another lease's worker keeps killing is that one's."""
    return [
        root for root in _kill.roots_of(recipe.undo)
        if not root.is_there and not _own.rivals(recipe.lease_id, "crash", str(root.file))
    ]


DRIVER: FaultDriver = CrashLoopDriver()
