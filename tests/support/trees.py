"""Process trees that show whether they live, and the supervisor that starts them again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from holdfast.clients import processes
from support.waiting import wait_for

_BEATS = """
import os, pathlib, select, sys, time
folder, depth = pathlib.Path(sys.argv[1]), 3
for beat in folder.iterdir():
    beat.unlink()
while depth and not os.fork():
    depth -= 1
    if depth == 1:
        os.setsid()
while True:
    try:
        (folder / f"beat-{os.getpid()}").write_text(f"{time.monotonic()} {time.time()}")
    except OSError:
        pass
    select.select([], [], [], 0.02)  # time.sleep fails under libfaketime
"""


class Tree:
    """A process with descendants, one of them in a session of its own, all of whom keep writing."""

    def __init__(self, home: Path, name: str) -> None:
        self.name, self._file, self._folder = name, home / "run" / f"{name}.pid", home / name
        self.program = _BEATS
        self._folder.mkdir()

    def job(self, pause: float) -> dict[str, object]:
        """What a supervisor is told: it starts a dead tree again after a pause."""
        command = [sys.executable, "-c", self.program, str(self._folder)]
        return {"name": self.name, "argv": command, "backoff_seconds": [pause]}

    def kill(self) -> None:
        for process in processes.tree(self._roots, processes.table()):
            processes.send(process, signal.SIGKILL)

    def end(self) -> None:
        """Also those whose parent was ended in the moment in which it made them."""
        while mine := [pid for pid in processes.table()
                       if processes.arguments(pid)[-1:] == [str(self._folder)]]:
            for pid in mine:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    @property
    def pids(self) -> list[int]:
        return [p.pid for p in processes.tree(self._roots, processes.table())]

    def is_beating(self) -> bool:
        """All four write, with the right time."""
        try:
            before = {beat: beat.read_text() for beat in self._folder.iterdir()}
            wait_for(lambda: all(beat.read_text() != was for beat, was in before.items()), 1)
            times = [float((beat.read_text().split() or [0, 0])[-1]) for beat in before]
        except (TimeoutError, FileNotFoundError):
            return False
        return len(before) == 4 and all(abs(seen - time.time()) < 3600 for seen in times if seen)

    @property
    def _roots(self) -> list[int]:
        return [int(self._file.read_text())] if self._file.exists() else []


class Kept:
    """The demo shop's supervisor over the trees."""

    def __init__(self, home: Path, trees: list[Tree], pause: float = 0.3) -> None:
        self._home, self._trees, self._pause = home, trees, pause
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool] | None = None) -> None:
        """Begin; return when all beat, or are ready in another sense."""
        spec = self._home / "supervisor.json"
        spec.write_text(json.dumps({
            "run_dir": str(self._home / "run"), "log_dir": str(self._home / "logs"),
            "processes": [tree.job(self._pause) for tree in self._trees],
        }))
        self._child = subprocess.Popen(
            [sys.executable, "-m", "shop.supervisor", str(spec)], start_new_session=True,
            stdout=(self._home / "supervisor.log").open("ab"))
        wait_for(ready or (lambda: all(map(Tree.is_beating, self._trees))), 30)

    def hold(self, number: signal.Signals) -> None:
        """Stop the supervisor, or let it go on."""
        if self._child is not None:
            self._child.send_signal(number)

    def stop(self) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
        for tree in self._trees:
            tree.end()
