"""Workloads of runs as processes of this host, each in a session of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

import holdfast
from holdfast.clients.host import boot_id
from holdfast.clients.processes import Process, same, send, wait_gone
from holdfast.errors import FaultError
from holdfast.model.workload import WorkloadSpec
from holdfast.ports.workloads import Ended
from holdfast.settings import Settings

START_SECONDS = 60.0
STOP_SECONDS = 90.0
"""Last reads of a database that fails over, its answers' own limit, and the schema's end."""
GONE_SECONDS = 5.0
_IDENTITY = re.compile(r"([0-9]{1,10}) ([0-9]{1,20}) (\S+)\n")


class LocalWorkloads:
    """Start, find and stop workloads by the identities they write beside their histories.

    Of the caller's environment a workload gets nothing: no secrets of Airflow's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def start(self, run_id: str, spec: WorkloadSpec, seconds: float) -> None:
        """Start one; the started process leaves the workload to init and ends when it sends."""
        self._settings.workloads.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self._folder(run_id)
        folder.mkdir(exist_ok=True)
        self._forget(folder, spec.name)
        command = [
            sys.executable, "-P", "-m", "holdfast.workloads", "--connections",
            str(self._settings.connections), "--folder", str(folder), "--seconds", str(seconds),
            spec.model_dump_json(),
        ]
        package = str(Path(holdfast.__file__).parents[1])
        with (folder / f"{spec.name}.log").open("ab") as log:
            try:
                begun = subprocess.run(
                    command, check=False, start_new_session=True, cwd="/", stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, timeout=START_SECONDS,
                    env={"PATH": os.defpath, "PYTHONPATH": package},
                ).returncode == 0
            except subprocess.TimeoutExpired:
                begun = False
        if not begun:
            ended = self.ended(run_id, spec.name)
            why = ended.error if ended else f"it did not begin (see {folder / spec.name}.log)"
            raise FaultError(why, target=f"workload {spec.name}")

    def stop(self, run_id: str | None) -> None:
        """Have each end at the same time; one that does not is killed."""
        runs = self._settings.workloads.glob("*") if run_id is None else [self._folder(run_id)]
        files = (file for folder in runs for file in folder.glob("*.pid"))
        living = [p for file in files if (p := _alive(file))]
        for process in living:
            send(process, signal.SIGTERM)
        for process in wait_gone(living, STOP_SECONDS):
            send(process, signal.SIGKILL)
        if left := wait_gone(living, GONE_SECONDS):
            told = ", ".join(str(process.pid) for process in left)
            raise FaultError(f"process {told} does not go",
                             target=f"workloads of {run_id or 'all runs'}")

    def history(self, run_id: str, name: str) -> Path:
        """Where it is written."""
        return self._folder(run_id) / f"{name}.jsonl"

    def ended(self, run_id: str, name: str) -> Ended | None:
        """What it has written last of all; None without a word."""
        try:
            written = (self._folder(run_id) / f"{name}.ended.json").read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(written, type=Ended)

    def _folder(self, run_id: str) -> Path:
        """A folder for each run, whatever letters its id has."""
        return self._settings.workloads / re.sub(r"[^A-Za-z0-9._+:-]", "_", run_id)

    @staticmethod
    def _forget(folder: Path, name: str) -> None:
        """What an earlier try has left: it saw no fault."""
        for ending in ("pid", "jsonl", "jsonl.about.json", "ended.json"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)


def _alive(file: Path) -> Process | None:
    """The process of an identity; None if it is gone, or the file says nothing."""
    found = _IDENTITY.fullmatch(file.read_text(errors="replace"))
    if found is None or found[3] != boot_id():
        return None
    return same(int(found[1]), int(found[2]))
