"""Take a share of the memory that is left, with a worker that the kernel would end first."""

from collections.abc import Mapping, Sequence

from holdfast.errors import FaultError
from holdfast.faults._selector import number
from holdfast.faults.process import _memory, _own, _trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MARGIN_SECONDS = 30
_MIB = 1024 * 1024


class MemoryPressureDriver:
    """Hold memory in a worker of the lease.

    The worker gives back as soon as less than the floor is left for others, and bears the highest
    `oom_score_adj`: should memory run out all the same, it dies first and not the service.
    """

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {
        "share": Setting("ratio", 0.5, "of the memory that is available at arm",
                         low=0.001, high=0.95),
        "floor": Setting("integer", 512, "MiB that always stay available to others",
                         low=256, high=1_048_576),
        "most": Setting("integer", 4096, "MiB that are held at most", low=16, high=1_048_576),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The host's memory that is available."""
        _trees.roots(fault)
        wanted, free = _wanted(fault)
        name = f"{wanted // _MIB} of {free // _MIB} MiB available"
        return [Target(name, fault.service, wanted / free, "memory")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Work out how much is held; refused if that would go below the floor."""
        _trees.roots(fault)
        limit = fault.duration.total_seconds() + fault.delay.total_seconds() + _MARGIN_SECONDS
        return Recipe(lease_id, fault.type, {
            "bytes": _wanted(fault)[0], "floor": _floor(fault), "seconds": round(limit),
        })

    def inject(self, recipe: Recipe) -> None:
        """Start the worker; it holds what it may when this returns."""
        if not _own.running(recipe.lease_id):
            undo = recipe.undo
            seconds = int(str(undo["seconds"]))
            _own.start(recipe.lease_id, seconds, "memory", undo["bytes"], undo["floor"])

    def revert(self, recipe: Recipe) -> None:
        """End the worker."""
        _own.end(recipe.lease_id)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Workers by the mark in their environment."""
        return [f"worker {pid} of the lease is there" for pid in _own.marked(recipe.lease_id)]


def _floor(fault: Fault) -> int:
    return int(number(fault, "floor", 512)) * _MIB


def _wanted(fault: Fault) -> tuple[int, int]:
    """How much is held, of how much that is available. Bytes."""
    free = _memory.available()
    wanted = min(int(free * number(fault, "share", 0.5)), int(number(fault, "most", 4096)) * _MIB)
    if free - wanted < _floor(fault):
        text = (f"{wanted // _MIB} of {free // _MIB} MiB would be held, "
                f"but {_floor(fault) // _MIB} must stay available")
        raise FaultError(text, target=fault.service)
    return wanted, free


DRIVER: FaultDriver = MemoryPressureDriver()
