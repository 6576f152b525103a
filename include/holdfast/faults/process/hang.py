"""Hang processes: stop a whole tree by signal, and let it go on."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.clients import processes
from holdfast.errors import FaultError
from holdfast.faults.process import _trees
from holdfast.faults.process._trees import Trees
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_PATIENCE = 5.0


class HangDriver:
    """Stop every process of the trees named by pid files, parents first."""

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """One for each pid file."""
        return _trees.targets(fault)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember each process of the trees by pid, start time and session."""
        trees = _trees.armed(fault, f"hang/{lease_id}")
        stopped = [m.pid for m in trees.there(processes.table()) if m.is_stopped]
        if stopped:
            text = f"already stopped by someone else: pid {stopped[0]}"
            raise FaultError(text, target=fault.service)
        return Recipe(lease_id, fault.type, trees.as_undo())

    def inject(self, recipe: Recipe) -> None:
        """Stop the tree, again and again until a walk finds nobody running."""
        trees = Trees.of(recipe.undo)
        target = f"pid {trees.members[0].pid}"
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            table = processes.table()
            members = trees.there(table)
            if not members:
                raise FaultError("gone since the fault was armed", target=target)
            _trees.refuse_own(members, table, target)
            running = [m for m in members if not m.is_stopped]
            if not running:
                return
            for member in running:
                trees.note(member)
                processes.send(member, signal.SIGSTOP)
        raise FaultError(f"still running after {_PATIENCE:g} s", target=target)

    def revert(self, recipe: Recipe) -> None:
        """Let everybody of the tree go on, without asking whether it was stopped."""
        for member in Trees.of(recipe.undo).there(processes.table()):
            processes.send(member, signal.SIGCONT)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Whoever psutil sees stopped and related to the recipe."""
        import psutil

        trees = Trees.of(recipe.undo)
        if not trees.is_of_this_boot:
            return []
        known = {m.pid: m.start for m in trees.members}
        left = []
        for process in psutil.process_iter(["status"]):
            if process.info["status"] != psutil.STATUS_STOPPED:
                continue
            own = processes.look(process.pid)
            noted = own is not None and (own.pid, own.start) in trees.noted()
            if noted or _session(process.pid) in trees.sessions or _descends(process, known):
                left.append(f"process {process.pid} is stopped")
        return left


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _descends(process: Any, known: Mapping[int, int]) -> bool:
    """Whether psutil finds the process or an ancestor of it in the recipe."""
    import psutil

    try:
        line = [process, *process.parents()]
        ticks = os.sysconf("SC_CLK_TCK")
        starts = {p.pid: (p.create_time() - psutil.boot_time()) * ticks for p in line}
        return any(abs(starts[pid] - known[pid]) <= ticks for pid in starts.keys() & known.keys())
    except psutil.NoSuchProcess:
        return False


DRIVER: FaultDriver = HangDriver()
