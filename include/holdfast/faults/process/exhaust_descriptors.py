"""Leave processes no file descriptor to open: sockets, files and pipes are refused (EMFILE)."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.clients import processes
from holdfast.clients.processes import Process
from holdfast.errors import FaultError
from holdfast.faults._selector import number
from holdfast.faults.process import _trees
from holdfast.faults.process._trees import Trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_LOOKS, _BETWEEN = 5, 0.003


class ExhaustDescriptorsDriver:
    """Lower the soft limit of each process of the trees to the first number that is free.

    The hard limit stays: a process may not raise that again without rights. What a process has
    open goes on working; each process of the recipe gets its former limit back if it still has the
    one that was set, and so does a child it has had since.
    """

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {
        "spare": Setting("integer", 0, "how many more it may still open", low=0, high=65536),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """One for each pid file."""
        return _trees.targets(fault)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember each process with its limit and the one to set."""
        trees = _trees.armed(fault, f"descriptors/{lease_id}")
        spare = int(number(fault, "spare", 0))
        limits = {str(m.pid): list(_planned(m.pid, spare)) for m in trees.members}
        return Recipe(lease_id, fault.type, {**trees.as_undo(), "limits": limits})

    def inject(self, recipe: Recipe) -> None:
        """Lower the limits; whoever joined the tree since arm inherits its parent's."""
        trees = Trees.of(recipe.undo)
        table = processes.table()
        there = [table[m.pid] for m in trees.members if _is_there(m.pid, m.start, table)]
        if not there:
            target = f"pid {trees.members[0].pid}"
            raise FaultError("gone since the fault was armed", target=target)
        _trees.refuse_own(there, table, target=f"pid {there[0].pid}")
        for process in there:
            former, low = _limits(recipe)[process.pid]
            _change(process, former, low)

    def revert(self, recipe: Recipe) -> None:
        """Give back what still has the limit that was set."""
        for process, former, low in _touched(recipe):
            _change(process, low, former)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What the kernel lists as the limits of the trees."""
        return [
            f"process {process.pid} may have {low} descriptors open, it had {former}"
            for process, former, low in _touched(recipe)
            if _listed(process.pid) == low
        ]


def _planned(pid: int, spare: int) -> tuple[int, int]:
    """The soft limit now, and the one to set; refused where that would not lower it."""
    former, low = _listed(pid), _lowest_free(pid) + spare
    if former is None or former <= low:
        text = f"its descriptors are already used up ({former} allowed, {low} wanted)"
        raise FaultError(text, target=f"process {pid}")
    return former, low


def _lowest_free(pid: int) -> int:
    """The number its next descriptor would get, without those it only has for a moment."""
    lowest = []
    for _ in range(_LOOKS):
        try:
            taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}  # noqa: PTH208 - a name is enough
        except (FileNotFoundError, ProcessLookupError, PermissionError) as error:
            text = "not allowed to see its descriptors"
            raise FaultError(text, target=f"process {pid}") from error
        lowest.append(next(number for number in range(len(taken) + 1) if number not in taken))
        time.sleep(_BETWEEN)
    return min(lowest)


def _touched(recipe: Recipe) -> list[tuple[Process, int, int]]:
    """Who may bear a limit of this fault, with the former one: later children have a parent's."""
    trees, limits, table = Trees.of(recipe.undo), _limits(recipe), processes.table()
    found = []
    for process in trees.there(table):
        line = processes.lineage(process.pid, table)
        source = next((pid for pid in line if pid in limits), trees.members[0].pid)
        found.append((process, *limits[source]))
    return found


def _limits(recipe: Recipe) -> dict[int, tuple[int, int]]:
    entries: Any = recipe.undo["limits"]
    return {int(pid): (int(former), int(low)) for pid, (former, low) in entries.items()}


def _is_there(pid: int, start: int, table: Mapping[int, Process]) -> bool:
    return pid in table and table[pid].start == start


def _change(process: Process, expected: int, wanted: int) -> None:
    """Set the soft limit if it is the expected one."""
    import resource

    try:
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        if soft == expected and processes.same(process.pid, process.start):
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (wanted, hard))
    except ProcessLookupError:
        return
    except PermissionError as error:
        text = "not allowed to set its limits"
        raise FaultError(text, target=f"process {process.pid}") from error


def _listed(pid: int) -> int | None:
    """The soft limit as `/proc` lists it; None if it is unlimited or the process is gone."""
    try:
        with open(f"/proc/{pid}/limits") as lines:  # noqa: PTH123 - one line of many
            line = next(line for line in lines if line.startswith("Max open files"))
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return None
    soft = line.split()[3]
    return int(soft) if soft.isdecimal() else None


DRIVER: FaultDriver = ExhaustDescriptorsDriver()
