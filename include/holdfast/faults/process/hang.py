"""Hang processes: stop a whole tree by signal, and let it go on."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast.clients import processes
from holdfast.clients.processes import Process
from holdfast.errors import FaultError
from holdfast.faults._selector import address
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_PATIENCE = 5.0
_OWN = ("holdfast", "airflow")


@dataclass(frozen=True, slots=True)
class _Member:
    """A process of the tree as it was at arm."""

    pid: int
    start: int
    session: int


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back."""

    boot: str
    members: tuple[_Member, ...]
    stopped: Path

    @classmethod
    def of(cls, undo: Mapping[str, Any]) -> "_Undo":
        members = tuple(_Member(**m) for m in undo["members"])
        return cls(str(undo["boot"]), members, Path(str(undo["stopped"])))

    def note(self, process: Process) -> None:
        """Put it on disk before it is stopped: its parent may die and take the trail with it."""
        self.stopped.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.stopped.open("a") as file:
            file.write(f"{process.pid} {process.start}\n")

    def noted(self) -> set[tuple[int, int]]:
        """Everybody whom this fault has stopped, by pid and start time."""
        try:
            lines = [line.split() for line in self.stopped.read_text(errors="replace").splitlines()]
        except OSError:  # nobody was stopped, or the recipe alone must do
            return set()
        whole = [line for line in lines if len(line) == 2 and all(map(str.isdecimal, line))]
        return {(int(pid), int(start)) for pid, start in whole}

    @property
    def sessions(self) -> set[int]:
        """Sessions led from inside the tree; a session it only shares with others says nothing."""
        return {m.session for m in self.members} & {m.pid for m in self.members}


class HangDriver:
    """Stop every process of the trees named by pid files, parents first."""

    effect = Effect.HELD
    address = "process"
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """One for each pid file; its share counts the files that differ only in their number."""
        return [
            Target(f"{file.stem} (pid {root.pid})", fault.service, 1 / _siblings(file))
            for file, root in _roots(fault)
        ]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember each process of the trees by pid, start time and session."""
        table = processes.table()
        members = processes.tree([root.pid for _, root in _roots(fault)], table)
        _refuse_own(members, table, fault.service)
        stopped = [m.pid for m in members if m.is_stopped]
        if stopped:
            text = f"already stopped by someone else: pid {stopped[0]}"
            raise FaultError(text, target=fault.service)
        kept = [asdict(_Member(m.pid, m.start, m.session)) for m in members]
        return Recipe(lease_id, fault.type, {
            "boot": processes.boot_id(), "members": kept,
            "stopped": str(Path(fault.home) / "hang" / lease_id),
        })

    def inject(self, recipe: Recipe) -> None:
        """Stop the tree, again and again until a walk finds nobody running."""
        undo = _Undo.of(recipe.undo)
        target = f"pid {undo.members[0].pid}"
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            table = processes.table()
            members = _members(undo, table)
            if not members:
                raise FaultError("gone since the fault was armed", target=target)
            _refuse_own(members, table, target)
            running = [m for m in members if not m.is_stopped]
            if not running:
                return
            for member in running:
                undo.note(member)
                processes.send(member, signal.SIGSTOP)
        raise FaultError(f"still running after {_PATIENCE:g} s", target=target)

    def revert(self, recipe: Recipe) -> None:
        """Let everybody of the tree go on, without asking whether it was stopped."""
        undo = _Undo.of(recipe.undo)
        for member in _members(undo, processes.table()):
            processes.send(member, signal.SIGCONT)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Whoever psutil sees stopped and related to the recipe."""
        import psutil

        undo = _Undo.of(recipe.undo)
        if undo.boot != processes.boot_id():
            return []
        known = {m.pid: m.start for m in undo.members}
        left = []
        for process in psutil.process_iter(["status"]):
            if process.info["status"] != psutil.STATUS_STOPPED:
                continue
            own = processes.look(process.pid)
            noted = own is not None and (own.pid, own.start) in undo.noted()
            if noted or _session(process.pid) in undo.sessions or _descends(process, known):
                left.append(f"process {process.pid} is stopped")
        return left


def _members(undo: _Undo, table: Mapping[int, Process]) -> list[Process]:
    """Everybody of the recipe's trees who is there now, parents first, later children too."""
    if undo.boot != processes.boot_id():
        return []
    known = undo.noted() | {(m.pid, m.start) for m in undo.members}
    roots = [pid for pid, start in known if pid in table and table[pid].start == start]
    # A session whose number now belongs to another leader is somebody else's.
    sessions = {s for s in undo.sessions if s not in table or s in roots}
    roots += [p.pid for p in table.values() if p.session in sessions and p.pid not in roots]
    return processes.tree(roots, table)


def _roots(fault: Fault) -> list[tuple[Path, Process]]:
    """The pid files of the selector, each with its live process."""
    pattern = address(fault, "process")
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise FaultError("pid files must lie below home", target=pattern)
    files = sorted(Path(fault.home).glob(pattern))
    if not files:
        raise FaultError("no pid file matches", target=pattern)
    return [(file, _alive(file)) for file in files]


def _alive(file: Path) -> Process:
    try:
        pid, written = int(file.read_text()), file.stat().st_mtime
    except (OSError, ValueError) as error:
        raise FaultError("holds no pid", target=str(file)) from error
    process = processes.look(pid)
    # A pid that somebody else got later started after the file was written (1 s for coarse clocks).
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - (process.started if process else 0)
    file_age = time.clock_gettime(time.CLOCK_REALTIME) - written
    if process is None or age < file_age - 1:
        raise FaultError(f"its process {pid} is not running", target=str(file))
    return process


def _siblings(file: Path) -> int:
    """How many instances the family has: `api-1.pid` and `api-2.pid` are two of `api-`."""
    family = file.stem.rstrip("0123456789")
    return sum(f.stem.rstrip("0123456789") == family for f in file.parent.glob("*.pid"))


def _refuse_own(members: Sequence[Process], table: Mapping[int, Process], target: str) -> None:
    """Holdfast must not stop itself: not its ancestors, not a keeper, not Airflow."""
    own = {1, *processes.lineage(os.getpid(), table)}
    for member in members:
        if member.pid in own or _is_own(processes.arguments(member.pid)):
            raise FaultError(f"process {member.pid} belongs to Holdfast itself", target=target)


def _is_own(arguments: Sequence[str]) -> bool:
    """Whether a command line is Holdfast's or Airflow's, by program, script or `-m` module."""
    words = " ".join(arguments[:3]).split()  # Airflow writes whole titles into its first argument
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].partition(".")[0] in _OWN
    return any(Path(word).name in _OWN for word in words[:2])


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
