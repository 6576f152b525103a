"""Kill whole process trees, and wait until whoever keeps them has started them again."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.clients import processes
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults.process import _trees
from holdfast.faults.process._trees import Member, Trees
from holdfast.model.fault import Fault

_GONE_WITHIN = 5.0
_MOMENT = 0.05


@dataclass(frozen=True, slots=True)
class Root:
    """The process that a pid file named at arm."""

    file: Path
    pid: int
    start: int

    @property
    def is_there(self) -> bool:
        """Whether that very process still runs."""
        return processes.same(self.pid, self.start) is not None

    def lived(self) -> float | None:
        """For how many seconds its successor has run; None while there is none."""
        process = _trees.named_by(self.file)
        if process is None or (process.pid, process.start) == (self.pid, self.start):
            return None
        return time.clock_gettime(time.CLOCK_BOOTTIME) - process.started


def roots(fault: Fault) -> list[dict[str, object]]:
    """The fault's roots as plain data for a recipe."""
    return [{"file": str(file), "pid": root.pid, "start": root.start}
            for file, root in _trees.roots(fault)]


def roots_of(undo: Mapping[str, Any]) -> list[Root]:
    """The same, read back; those of another boot are all gone."""
    return [Root(Path(r["file"]), int(r["pid"]), int(r["start"])) for r in undo["roots"]]


def kill(trees: Trees) -> int:
    """Kill everybody of the trees; how many there were.

    All are stopped first: a child forked by somebody who is just being killed would be nobody's,
    and live on.
    """
    until = time.monotonic() + _GONE_WITHIN
    touched: set[int] = set()
    while members := trees.there(table := processes.table()):
        _trees.refuse_own(members, table, f"process {members[0].pid}")
        if time.monotonic() > until:
            raise FaultError("survives SIGKILL", target=f"process {members[0].pid}")
        fresh = [m for m in members if m.pid not in touched]
        trees.note(*fresh)
        touched |= {m.pid for m in fresh}
        number = signal.SIGSTOP if fresh else signal.SIGKILL
        for member in fresh or members:
            processes.send(member, number)
        time.sleep(0 if fresh else 0.01)
    return len(touched)


def kill_named(file: Path, notes: Path) -> int:
    """Kill whoever a pid file names now, with all its descendants; how many there were."""
    root = _trees.named_by(file)
    if root is None:
        return 0
    members = processes.tree([root.pid], processes.table())
    kept = tuple(Member(m.pid, m.start, m.session) for m in members)
    return kill(Trees(processes.boot_id(), kept, notes))


def finish(trees: Trees) -> None:
    """Carry a kill through that was cut short; nothing where none has begun."""
    if trees.is_touched:
        kill(trees)
    for pid, start in trees.noted():
        if processes.same(pid, start):
            members = processes.tree([pid], processes.table())
            kept = tuple(Member(m.pid, m.start, m.session) for m in members)
            kill(Trees(trees.boot, kept, trees.notes))


def wait_back(gone: Sequence[Root], patience: float, steady: float = 0.0) -> None:
    """Wait until each has a successor that has run for so many seconds.

    TransientFaultError names the first that has none within `patience` seconds.
    """
    wait_until(lambda: all((root.lived() or -1.0) >= steady for root in gone), patience)
    for root in gone:
        lived = root.lived()
        if lived is None or lived < steady:
            seen = "is not running" if lived is None else f"has run for {lived:.1f} s only"
            text = f"{seen}; who restarts it?"
            raise TransientFaultError(text, target=str(root.file))


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait for it; whether it came true in time."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(_MOMENT)
    return True


def outlived(trees: Trees) -> list[str]:
    """Whom psutil still sees of those that a kill has begun with."""
    import psutil

    return [f"process {pid} was to be killed and is there" for pid, start in trees.noted()
            if psutil.pid_exists(pid) and processes.same(pid, start)]


def not_back(root: Root, steady: float = 0.0) -> str:
    """What psutil sees amiss with the successor; empty if it has run for so many seconds."""
    import psutil

    if root.is_there:
        return ""
    try:
        process = psutil.Process(int(root.file.read_text()))
        now = time.clock_gettime(time.CLOCK_REALTIME)
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() + steady > now:
            return f"process {process.pid} of {root.file} has not run for {steady:g} s"
    except (OSError, ValueError, psutil.NoSuchProcess):
        return f"{root.file} names no process that runs"
    return ""
