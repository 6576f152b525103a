"""Processes of this host, told apart by pid and start time."""

import os
import select
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import FaultError

_STOPPED = "T"
_DEAD = frozenset("ZX")
_LISTENS = "0A"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process as the kernel told it; `start` (ticks since boot) tells a reused pid apart."""

    pid: int
    parent: int
    session: int
    state: str
    start: int

    @property
    def is_stopped(self) -> bool:
        """Whether a signal has stopped it."""
        return self.state == _STOPPED

    @property
    def started(self) -> float:
        """When it started, in seconds since boot."""
        return self.start / _TICKS


def boot_id() -> str:
    """The id of this boot: pids and start times mean nothing after the next one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def ticks() -> int:
    """Now, as start times count: clock ticks since boot."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS)


def look(pid: int) -> Process | None:
    """One process; None when it is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may itself hold brackets and spaces.
    fields = text.rpartition(")")[2].split()
    if fields[0] in _DEAD:
        return None
    return Process(pid, int(fields[1]), int(fields[3]), fields[0], int(fields[19]))


def same(pid: int, start: int) -> Process | None:
    """The process if it is still the one that started then."""
    process = look(pid)
    return process if process and process.start == start else None


def table() -> dict[int, Process]:
    """Every process of this host."""
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208 - a name is enough
    return {p.pid: p for p in map(look, pids) if p}


def wait_gone(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait until they are gone, for so long at most; give back those that are not."""
    until = time.monotonic() + seconds
    left = list(processes)
    while left := [p for p in left if same(p.pid, p.start)]:
        try:
            handle = os.pidfd_open(left[0].pid)
        except ProcessLookupError:
            continue
        try:
            remaining = until - time.monotonic()
            if remaining <= 0 or not select.select([handle], [], [], remaining)[0]:
                return left
        finally:
            os.close(handle)
    return left


def tree(roots: Iterable[int], processes: Mapping[int, Process]) -> list[Process]:
    """The roots with all their descendants, parents first."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    order = list(dict.fromkeys(pid for pid in roots if pid in processes))
    for pid in order:  # grows while it is walked
        order += [child for child in children.get(pid, []) if child not in order]
    return [processes[pid] for pid in order]


def lineage(pid: int, processes: Mapping[int, Process]) -> list[int]:
    """The process and its ancestors."""
    line: list[int] = []
    while pid in processes and pid not in line:
        line.append(pid)
        pid = processes[pid].parent
    return line


def arguments(pid: int) -> Sequence[str]:
    """Its command line; empty when it is gone or a kernel thread."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def environment(pid: int) -> Mapping[str, str]:
    """What it was started with; empty when it is gone or may not be looked into."""
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (entry.partition("=") for entry in text.split("\0"))
    return {name: value for name, equals, value in pairs if equals}


def link(pid: int, name: str) -> str:
    """Where `/proc/<pid>/<name>` (`exe`, `cwd`) points; empty when it cannot be seen."""
    try:
        return str(Path(f"/proc/{pid}/{name}").readlink())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def working_in(folder: str) -> list[Process]:
    """Everybody whose working directory this is: PostgreSQL's processes live in their data."""
    return [process for process in table().values() if link(process.pid, "cwd") == folder]


def listeners(pids: Iterable[int], port: int) -> list[int]:
    """Who of these holds a socket that listens on this TCP port; those we may not look into not."""
    sockets = {f"socket:[{inode}]" for inode, number in _listening() if number == port}
    return [pid for pid in pids if sockets & _open_files(pid)]


def ports(pids: Iterable[int]) -> list[int]:
    """The TCP ports that any of these listens on; of those we may not look into none."""
    mine = {name for pid in pids for name in _open_files(pid)}
    return sorted({port for inode, port in _listening() if f"socket:[{inode}]" in mine})


def _listening() -> Iterable[tuple[str, int]]:
    """The sockets that listen, of either family, by inode and port."""
    for table_of in ("tcp", "tcp6"):
        file = Path("/proc/self/net") / table_of
        lines = file.read_text().splitlines()[1:] if file.exists() else []
        for fields in map(str.split, lines):
            if fields[3] == _LISTENS:
                yield fields[9], int(fields[1].rpartition(":")[2], 16)


def _open_files(pid: int) -> set[str]:
    try:
        return {link(pid, f"fd/{entry}") for entry in os.listdir(f"/proc/{pid}/fd")}  # noqa: PTH208 - a name is enough
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return set()


def send(process: Process, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if same(process.pid, process.start) is None:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        target = f"process {process.pid}"
        raise FaultError(f"not allowed to send {number.name}", target=target) from error
    finally:
        os.close(handle)
    return True
