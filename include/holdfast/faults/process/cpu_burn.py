"""Burn CPU on the service's host, behind everybody else and never on every core.

The workers are niced to 19, so whoever must end the fault gets a core at once; what is gone is the
spare CPU that a service needs for its bursts.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from holdfast.errors import FaultError
from holdfast.faults._selector import number
from holdfast.faults.process import _own, _trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MARGIN_SECONDS = 30
_AT_ONCE = 16


class CpuBurnDriver:
    """Keep cores busy with workers of the lease."""

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {
        "cores": Setting(
            "integer", 1, "how many cores are kept busy; one of the host's always stays free",
            low=1, high=1024,
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The host's cores: what runs on this host shares them with the service."""
        _trees.roots(fault)
        cores, all_cores = _cores(fault)
        return [Target(f"{cores} of {all_cores} cores", fault.service, cores / all_cores)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Count the cores."""
        _trees.roots(fault)
        limit = fault.duration.total_seconds() + fault.delay.total_seconds() + _MARGIN_SECONDS
        undo = {"cores": _cores(fault)[0], "seconds": round(limit)}
        return Recipe(lease_id, fault.type, undo)

    def inject(self, recipe: Recipe) -> None:
        """Start the workers that are not there yet."""
        wanted = int(str(recipe.undo["cores"])) - len(_own.running(recipe.lease_id))
        seconds = int(str(recipe.undo["seconds"]))
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # a hundred cores one by one would take too long
            begun = [pool.submit(_own.start, recipe.lease_id, seconds, "cpu")
                     for _ in range(wanted)]
        for worker in begun:
            worker.result()

    def revert(self, recipe: Recipe) -> None:
        """End the workers."""
        _own.end(recipe.lease_id)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Workers by the mark in their environment."""
        return [f"worker {pid} of the lease is there" for pid in _own.marked(recipe.lease_id)]


def _cores(fault: Fault) -> tuple[int, int]:
    wanted, there = int(number(fault, "cores", 1)), os.cpu_count() or 1
    if wanted >= there:
        text = f"{wanted} cores would be kept busy of {there}, but one must stay free"
        raise FaultError(text, target=fault.service)
    return wanted, there


DRIVER: FaultDriver = CpuBurnDriver()
