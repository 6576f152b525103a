"""Processes of a fault's own: they bear the lease, and live no longer than who started them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from holdfast.clients import processes
from holdfast.clients.processes import Process
from holdfast.errors import FaultError
from holdfast.faults.process._kill import wait_until

MARK = "HOLDFAST_LEASE"
"""Environment variable that names the lease."""

_WORKER = "holdfast.faults.process._worker"
_READY_SECONDS = 8.0
_GONE_SECONDS = 3.0


def start(lease_id: str, seconds: int, kind: str, *arguments: object) -> None:
    """Start a worker and wait until it works. It ends by itself after so many seconds.

    The thread that starts it waits for it: Linux ends a child with the *thread* it came from.
    """
    ready, said = threading.Event(), list[str]()

    def attend() -> None:
        command = [sys.executable, "-m", _WORKER, lease_id, str(os.getpid()), str(seconds), kind,
                   *map(str, arguments)]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env={**os.environ, MARK: lease_id},  # noqa: TID251 - handed on, not read
        ) as worker:
            said.extend(worker.stdout.readline().split("\n")[:1] if worker.stdout else [])
            ready.set()

    threading.Thread(target=attend, name=f"{kind}-{lease_id}", daemon=True).start()
    if not ready.wait(_READY_SECONDS) or said != ["on"]:
        why = "".join(said) or f"no sign of work within {_READY_SECONDS:g} s, or it ended"
        raise FaultError(f"its worker does not work: {why}", target=kind)


def running(lease_id: str) -> list[Process]:
    """The lease's workers, by their command lines."""
    return [process for process in processes.table().values()
            if _lease_of(processes.arguments(process.pid)) == lease_id]


def rivals(lease_id: str, kind: str, file: str) -> bool:
    """Whether another lease's worker of this kind has the file among its arguments."""
    lines = (processes.arguments(pid) for pid in processes.table())
    return any(
        _lease_of(line) not in ("", lease_id) and kind in line and file in line for line in lines
    )


def end(lease_id: str) -> None:
    """Kill the lease's workers and wait until they are gone."""
    def gone() -> bool:
        left = running(lease_id)
        for process in left:
            processes.send(process, signal.SIGKILL)
        return not left

    if not wait_until(gone, _GONE_SECONDS):
        raise FaultError("survives SIGKILL", target=f"process {running(lease_id)[0].pid}")


def marked(lease_id: str) -> list[int]:
    """Whoever psutil sees with the lease in its environment."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == lease_id:
                found.append(process.pid)
    return found


def _lease_of(arguments: Sequence[str]) -> str:
    """The lease of a worker's command line; empty for any other."""
    if _WORKER not in arguments[:-1]:
        return ""
    return arguments[arguments.index(_WORKER) + 1]
