"""Keep processes running: start them, restart the dead with back-off, stop whole trees.

`python -m shop.supervisor SPEC.json`; the shape of the file is `Spec.read`. Beside the folder of
the pid files may lie a folder `env`: what `<name>.env` says is added at each start of a process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from shop import processes
from shop.files import read_json

BACKOFF = (0.2, 0.5, 1.0, 2.0)
_STEADY_SECONDS = 10.0  # a process that ran this long starts again at the shortest pause
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """One process to keep running."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    user: str | int | None = None
    backoff: tuple[float, ...] = BACKOFF


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything one supervisor keeps; `spare` are words whose processes outlive a stop."""

    run: Path
    logs: Path
    jobs: tuple[Job, ...]
    spare: tuple[str, ...] = ()

    def environment_of(self, name: str) -> dict[str, str]:
        """What the environment file of a process says now: lines of NAME=VALUE."""
        try:
            lines = (self.run.parent / "env" / f"{name}.env").read_text().splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
        return {key.strip(): value.strip() for key, equals, value in pairs if equals}

    @classmethod
    def read(cls, file: Path) -> "Spec":
        """Read `{"run_dir", "log_dir", "spare"?, "processes": [...]}`.

        A process is `{"name", "argv", "env"?, "cwd"?, "user"?, "backoff_seconds"?}`.
        """
        values = read_json(file)
        jobs = (
            Job(
                name=p["name"],
                argv=tuple(p["argv"]),
                env=p.get("env") or {},
                cwd=p.get("cwd"),
                user=p.get("user"),
                backoff=tuple(p.get("backoff_seconds") or BACKOFF),
            )
            for p in values["processes"]
        )
        spare = tuple(values.get("spare") or ())
        return cls(Path(values["run_dir"]), Path(values["log_dir"]), tuple(jobs), spare)


@dataclass(slots=True)
class Patience:
    """How long to wait before the next start: longer each time, short again after a steady run."""

    pauses: Sequence[float]
    failures: int = 0

    def after(self, ran_seconds: float) -> float:
        """The pause after a run that ended."""
        self.failures = 1 if ran_seconds >= _STEADY_SECONDS else self.failures + 1
        return self.pauses[min(self.failures, len(self.pauses)) - 1]


class Child:
    """One job and the process it has now."""

    def __init__(self, job: Job, spec: Spec) -> None:
        self.job, self._spec = job, spec
        self._patience = Patience(job.backoff)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0

    @property
    def pid(self) -> int | None:
        """The pid while the process runs."""
        return self._process.pid if self._process else None

    def tend(self, now: float) -> None:
        """Start what is due, notice what died."""
        if self._process is not None and self._process.poll() is not None:
            pause = self._patience.after(now - self._started)
            _say(f"{self.job.name} ended with {self._process.returncode}; again in {pause} s")
            processes.end(processes.session(self._process.pid))  # workers that outlived it
            self._process, self._due = None, now + pause
        if self._process is None and now >= self._due:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            with (self._spec.logs / f"{self.job.name}.log").open("ab") as log:
                self._process = subprocess.Popen(
                    self.job.argv,
                    env=self._environment(),
                    cwd=self.job.cwd,
                    user=self.job.user,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            self._due = now + self._patience.after(0.0)
            _say(f"{self.job.name} does not start: {error}")
            return
        self._started = now
        processes.record(self._spec.run, self.job.name, self._process.pid)
        _say(f"{self.job.name} is {self._process.pid}")

    def _environment(self) -> dict[str, str]:
        handed_on = os.environ  # noqa: TID251 - not read here
        return {**handed_on, **self.job.env, **self._spec.environment_of(self.job.name)}

    def reap(self) -> None:
        """Collect the exit status, so that no zombie is left."""
        if self._process is not None:
            self._process.poll()


class Supervisor:
    """Keep the jobs of a spec running until told to stop."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._children = [Child(job, spec) for job in spec.jobs]
        self._stopping = False

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then stop every tree."""
        self._spec.run.mkdir(parents=True, exist_ok=True)
        self._spec.logs.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        processes.record(self._spec.run, "supervisor", os.getpid())
        while not self._stopping:
            for child in self._children:
                child.tend(time.monotonic())
            time.sleep(_POLL_SECONDS)
        self._stop_all()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _stop_all(self) -> None:
        pids = [child.pid for child in reversed(self._children) if child.pid]
        roots = [found for pid in pids if (found := processes.Identity.of(pid))]
        members = self._members(pids)
        processes.send(roots, signal.SIGTERM)
        processes.send(roots, signal.SIGCONT)
        processes.wait_for(lambda: not self._living(roots), _STOP_SECONDS)
        left = processes.end({*members, *self._members(pids)})
        for child in self._children:
            child.reap()
            processes.forget(self._spec.run, child.job.name)
        processes.forget(self._spec.run, "supervisor")
        _say("stopped" + (f"; could not end {[p.pid for p in left]}" if left else ""))

    def _members(self, pids: Sequence[int]) -> set[processes.Identity]:
        trees = (processes.tree(pid, self._spec.spare) for pid in pids)
        sessions = (processes.session(pid) for pid in pids)
        return {member for group in (*trees, *sessions) for member in group}

    def _living(self, roots: Sequence[processes.Identity]) -> bool:
        for child in self._children:
            child.reap()
        return any(root.is_alive() for root in roots)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    Supervisor(Spec.read(Path(sys.argv[1]))).run()
