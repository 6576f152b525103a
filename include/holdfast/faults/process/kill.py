"""Kill processes: SIGKILL for whole trees, which somebody else then starts again."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.clients import processes
from holdfast.errors import FaultError
from holdfast.faults._selector import number
from holdfast.faults.process import _kill, _trees
from holdfast.faults.process._trees import Trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver


class KillDriver:
    """Kill the trees named by pid files. Their own supervisor repairs; this driver never does.

    The recipe could not hold what a start needs: an environment has secrets.
    """

    effect = Effect.ONE_SHOT
    address = "process"
    params: Mapping[str, Setting] = {
        "patience": Setting(
            "duration", 30.0, "how long the revert waits for the restart", low=0.0, high=60.0
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """One for each pid file."""
        return _trees.targets(fault)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the trees and the ports they serve."""
        trees = _trees.armed(fault, f"kill/{lease_id}")
        return Recipe(lease_id, fault.type, {
            **trees.as_undo(), "roots": _kill.roots(fault),
            "ports": processes.ports(m.pid for m in trees.members),
            "patience": number(fault, "patience", 30.0),
        })

    def inject(self, recipe: Recipe) -> None:
        """Kill everybody, once: what has been started since is left alone."""
        trees = Trees.of(recipe.undo)
        if not _kill.kill(trees) and not trees.is_touched:
            target = str(_kill.roots_of(recipe.undo)[0].file)
            raise FaultError("stopped or restarted since the fault was armed", target=target)

    def revert(self, recipe: Recipe) -> None:
        """Wait for the restart; a kill that was cut short is carried through before."""
        _kill.finish(Trees.of(recipe.undo))
        gone = _gone(recipe)
        if gone:
            _kill.wait_back(gone, float(str(recipe.undo["patience"])))

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Whom psutil does not see back, and which ports nobody serves."""
        import psutil

        left, gone = _kill.outlived(Trees.of(recipe.undo)), _gone(recipe)
        if not gone:
            return left
        ports: Any = recipe.undo["ports"]
        sockets = psutil.net_connections("tcp")
        served = {getattr(s.laddr, "port", 0) for s in sockets if s.status == psutil.CONN_LISTEN}
        left += [text for root in gone if (text := _kill.not_back(root))]
        return left + [f"nobody serves port {port}" for port in ports if port not in served]


def _gone(recipe: Recipe) -> list[_kill.Root]:
    return [root for root in _kill.roots_of(recipe.undo) if not root.is_there]


DRIVER: FaultDriver = KillDriver()
