"""Know a process by pid and start time, and end whole trees of them."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from shop.files import read_json, write, write_json

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process of one boot: a pid that was given to somebody else does not match."""

    pid: int
    started: int  # clock ticks since boot
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Look at a process; None when it is gone or only a zombie is left."""
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        if state[0] in ("Z", "X"):
            return None
        return cls(pid, int(state[19]), _BOOT.read_text().strip())

    def is_alive(self) -> bool:
        """Whether this very process is still there."""
        return Identity.of(self.pid) == self


def record(run: Path, name: str, pid: int) -> None:
    """Write `<name>.pid` (the pid alone) and `<name>.json` (who exactly that was)."""
    identity = Identity.of(pid)
    if identity is not None:
        write_json(run / f"{name}.json", asdict(identity))
    write(run / f"{name}.pid", f"{pid}\n")


def recorded(run: Path, name: str) -> Identity | None:
    """Who was last recorded under this name."""
    entry = read_json(run / f"{name}.json")
    return Identity(**entry) if entry else None


def recorded_names(run: Path) -> list[str]:
    """Every name that has a pid file."""
    return sorted(file.stem for file in run.glob("*.pid"))


def forget(run: Path, name: str) -> None:
    """Remove what was recorded under a name."""
    for suffix in (".pid", ".json"):
        (run / f"{name}{suffix}").unlink(missing_ok=True)


def tree(pid: int, spare: Sequence[str] = ()) -> list[Identity]:
    """A process and all that descends from it, except trees whose command holds a spared word."""
    try:
        root = psutil.Process(pid)
        members = [root, *_descendants(root, spare)]
    except psutil.NoSuchProcess:
        return []
    return [found for p in members if (found := Identity.of(p.pid)) is not None]


def _descendants(process: psutil.Process, spare: Sequence[str]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in process.children():
        with suppress(psutil.NoSuchProcess):
            if not any(word in part for word in spare for part in child.cmdline()):
                found += [child, *_descendants(child, spare)]
    return found


def session(leader: int) -> list[Identity]:
    """Every process of the session that this pid leads, or led before it died."""
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(pid) == leader and (identity := Identity.of(pid)) is not None:
                found.append(identity)
    return found


def inside(folder: Path) -> list[Identity]:
    """Every process that works in this folder.

    PostgreSQL's do so in their data folder; its backends are sessions of their own, which no
    process group reaches.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _works_in(entry, str(folder)):
            identity = Identity.of(int(entry.name))
            found += [identity] if identity else []
    return found


def _works_in(entry: Path, folder: str) -> bool:
    try:
        return str((entry / "cwd").readlink()) == folder
    except OSError:  # gone, or somebody else's
        return False


def send(targets: Iterable[Identity], number: signal.Signals) -> None:
    """Signal those that are still who they were."""
    for target in targets:
        if target.is_alive():
            with suppress(ProcessLookupError):
                os.kill(target.pid, number)


def wait_gone(targets: Iterable[Identity], seconds: float) -> list[Identity]:
    """Wait until they are gone; give back those that are not."""
    left = list(targets)
    wait_for(lambda: not any(t.is_alive() for t in left), seconds)
    return [t for t in left if t.is_alive()]


def wait_for(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Wait until something holds; False when it did not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def end(targets: Iterable[Identity], patience: float = 1.0) -> list[Identity]:
    """SIGTERM, then SIGKILL; give back those that even that did not end."""
    members = list(targets)
    send(members, signal.SIGTERM)
    send(members, signal.SIGCONT)  # a stopped process acts on SIGTERM only when it goes on
    left = wait_gone(members, patience)
    send(left, signal.SIGKILL)
    return wait_gone(left, 5.0)
