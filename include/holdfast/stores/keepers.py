"""Keepers as processes of this host, each in a session of its own."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import holdfast
from holdfast.clients.host import boot_id, start_time
from holdfast.errors import FaultError
from holdfast.settings import Settings

GONE_SECONDS = 5.0
"""How long a killed process may take to go."""
_IDENTITY = re.compile(r"([0-9]{1,10}) ([0-9]{1,20}) (\S+)")


class LocalKeepers:
    """Start, find and kill keepers by the identities they write beside their journal.

    A keeper outlives the task that asked for it, so of the caller's `environ` it gets only PATH,
    PYTHONPATH and HOLDFAST_*: no secrets of Airflow's. `program` is the module and its options.
    """

    def __init__(
        self, settings: Settings, environ: Mapping[str, str] | None = None,
        program: Sequence[str] = ("holdfast.keeper",),
    ) -> None:
        self._settings, self._program = settings, program
        package = str(Path(holdfast.__file__).parents[1])
        given = {"PATH": os.defpath, "PYTHONPATH": package} | dict(environ or {})
        self._environ = {
            name: value for name, value in given.items()
            if name in ("PATH", "PYTHONPATH") or name.startswith("HOLDFAST_")
        }

    def start(self, lease_id: str) -> None:
        """Start a keeper; the started process leaves its keeper to init and ends at once."""
        folder = self._settings.journals
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shared = ["--store", self._settings.store] if self._settings.store else []
        where = ["--home", str(self._settings.home), *shared]
        command = [sys.executable, "-P", "-m", *self._program, *where, lease_id]
        path = str(folder / f"{lease_id}.log")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            ended = subprocess.run(
                command, check=False, start_new_session=True, cwd="/", env=self._environ,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        if ended.returncode != 0:
            raise FaultError(f"the keeper did not start (see {path})", target=lease_id)

    def is_alive(self, lease_id: str) -> bool:
        """Whether a process of its keeper is there (pid, start time and boot id agree)."""
        return any(True for _ in self._alive(lease_id))

    def end(self, lease_id: str) -> None:
        """Ask the keeper to revert now; nothing happens if it is gone."""
        for pid, started in self._alive(lease_id):
            with _process(pid, started) as process:
                if process is not None:
                    _signal(process, signal.SIGTERM)

    def kill(self, lease_id: str) -> None:
        """Kill what is left of this lease's keeper, and wait until it is gone."""
        for _ in range(3):  # a child may have written itself down while its parent was killed
            for pid, started in list(self._alive(lease_id)):
                with _process(pid, started) as process:
                    if process is None:
                        continue
                    _signal(process, signal.SIGKILL)
                    if not select.select([process], [], [], GONE_SECONDS)[0]:
                        raise FaultError(f"keeper process {pid} does not go", target=lease_id)

    def _alive(self, lease_id: str) -> Iterator[tuple[int, int]]:
        """Nobody for a file that cannot be read: the lease's claim says whether one is at work."""
        try:
            written = (self._settings.journals / f"{lease_id}.pid").read_text(errors="replace")
        except OSError:
            return
        here = boot_id()
        for line in written.replace("\0", "\n").splitlines():  # a lost page reads as NULs
            found = _IDENTITY.fullmatch(line)
            if found is None or found[3] != here:
                continue
            pid, started = int(found[1]), int(found[2])
            if start_time(pid) == started:
                yield pid, started


@contextmanager
def _process(pid: int, started: int) -> Iterator[int | None]:
    """A handle on exactly this process: looked at again once the handle is held."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield handle if start_time(pid) == started else None
    finally:
        os.close(handle)


def _signal(process: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        return

