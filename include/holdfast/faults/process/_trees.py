"""Process trees named by pid files: who belongs to them, and whom no fault may touch."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast.clients import processes
from holdfast.clients.processes import Process
from holdfast.errors import FaultError
from holdfast.faults._selector import address
from holdfast.model.fault import Fault, Target

_OWN = ("holdfast", "airflow")


@dataclass(frozen=True, slots=True)
class Member:
    """A process of the tree as it was at arm."""

    pid: int
    start: int
    session: int


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of a recipe. `notes` is a file: whom the fault has touched, by pid and start."""

    boot: str
    members: tuple[Member, ...]
    notes: Path

    @classmethod
    def of(cls, undo: Mapping[str, Any]) -> "Trees":
        """Read what `as_undo` wrote."""
        members = tuple(Member(**m) for m in undo["members"])
        return cls(str(undo["boot"]), members, Path(str(undo["notes"])))

    def as_undo(self) -> dict[str, object]:
        """Plain data for a recipe."""
        return {"boot": self.boot, "members": [asdict(m) for m in self.members],
                "notes": str(self.notes)}

    def note(self, *touched: Process) -> None:
        """Put it on disk before it is touched: its parent may die and take the trail with it."""
        self.notes.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.notes.open("a") as file:
            file.write("".join(f"{process.pid} {process.start}\n" for process in touched))

    def noted(self) -> set[tuple[int, int]]:
        """Everybody whom this fault has touched, by pid and start time."""
        try:
            lines = [line.split() for line in self.notes.read_text(errors="replace").splitlines()]
        except OSError:  # nobody was touched, or the recipe alone must do
            return set()
        whole = [line for line in lines if len(line) == 2 and all(map(str.isdecimal, line))]
        return {(int(pid), int(start)) for pid, start in whole}

    @property
    def is_touched(self) -> bool:
        """Whether the fault has begun with anybody who was there at arm."""
        return bool(self.noted() & {(m.pid, m.start) for m in self.members})

    @property
    def is_of_this_boot(self) -> bool:
        """Whether its pids mean anything now."""
        return self.boot == processes.boot_id()

    @property
    def sessions(self) -> set[int]:
        """Sessions led from inside the tree; a session it only shares with others says nothing."""
        return {m.session for m in self.members} & {m.pid for m in self.members}

    def there(self, table: Mapping[int, Process]) -> list[Process]:
        """Everybody of the trees who is there now, parents first, later children too."""
        if not self.is_of_this_boot:
            return []
        known = self.noted() | {(m.pid, m.start) for m in self.members}
        roots = [pid for pid, start in known if pid in table and table[pid].start == start]
        # A session whose number now belongs to another leader is somebody else's.
        sessions = {s for s in self.sessions if s not in table or s in roots}
        roots += [p.pid for p in table.values() if p.session in sessions and p.pid not in roots]
        return processes.tree(roots, table)


def targets(fault: Fault) -> list[Target]:
    """One for each pid file; its share counts the files that differ only in their number."""
    return [
        Target(f"{file.stem} (pid {root.pid})", fault.service, 1 / _siblings(file))
        for file, root in roots(fault)
    ]


def armed(fault: Fault, notes: str) -> Trees:
    """The fault's trees as they are now; refused if Holdfast itself is among them."""
    table = processes.table()
    members = processes.tree([root.pid for _, root in roots(fault)], table)
    refuse_own(members, table, fault.service)
    kept = tuple(Member(m.pid, m.start, m.session) for m in members)
    return Trees(processes.boot_id(), kept, Path(fault.home) / notes)


def roots(fault: Fault) -> list[tuple[Path, Process]]:
    """The pid files of the selector, each with its live process."""
    pattern = address(fault, "process")
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise FaultError("pid files must lie below home", target=pattern)
    files = sorted(Path(fault.home).glob(pattern))
    if not files:
        raise FaultError("no pid file matches", target=pattern)
    found = [(file, named_by(file)) for file in files]
    for file, root in found:
        if root is None:
            raise FaultError(f"its process {_read(file)[0]} is not running", target=str(file))
    return [(file, root) for file, root in found if root]


def named_by(file: Path) -> Process | None:
    """The live process that a pid file names, if it is the one that was there when it was written.

    FaultError if the file holds no pid.
    """
    pid, written = _read(file)
    process = processes.look(pid)
    # A pid that somebody else got later started after the file was written (1 s for coarse clocks).
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - (process.started if process else 0)
    return None if age < time.clock_gettime(time.CLOCK_REALTIME) - written - 1 else process


def _read(file: Path) -> tuple[int, float]:
    """The pid and when it was written."""
    try:
        return int(file.read_text()), file.stat().st_mtime
    except (OSError, ValueError) as error:
        raise FaultError("holds no pid", target=str(file)) from error


def _siblings(file: Path) -> int:
    """How many instances the family has: `api-1.pid` and `api-2.pid` are two of `api-`."""
    family = file.stem.rstrip("0123456789")
    return sum(f.stem.rstrip("0123456789") == family for f in file.parent.glob("*.pid"))


def refuse_own(members: Sequence[Process], table: Mapping[int, Process], target: str) -> None:
    """Holdfast must not hit itself: not its ancestors, not a keeper, not Airflow."""
    own = {1, *processes.lineage(os.getpid(), table)}
    for member in members:
        if member.pid in own or is_own(processes.arguments(member.pid)):
            raise FaultError(f"process {member.pid} belongs to Holdfast itself", target=target)


def is_own(arguments: Sequence[str]) -> bool:
    """Whether a command line is Holdfast's or Airflow's, by program, script or `-m` module."""
    words = " ".join(arguments[:3]).split()  # Airflow writes whole titles into its first argument
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].partition(".")[0] in _OWN
    return any(Path(word).name in _OWN for word in words[:2])
