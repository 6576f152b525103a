"""A whole deployment for tests: shop, Airflow and janitor in a folder of their own.

It is started and stopped by the command, as a person does it, so nothing of it is a child of the
test process.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from holdfast import wiring
from holdfast.cli.airflow_env import Lab as AirflowPlaces
from holdfast.cli.lab import kill_airflow, supervisor_pid
from holdfast.clients.airflow_rest import AirflowRest, AirflowUnreachable
from holdfast.clients.connections import connection
from holdfast.clock import SystemClock
from holdfast.model.lease import Lease, LeaseState
from holdfast.model.run import Run
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import Line
from holdfast.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
_ENDED = ("success", "failed")
_PAUSE, ASK_PAUSE = 0.02, 0.5
"""Between two looks of our own, and between two questions to Airflow."""
RATE = "20"
"""Requests a second: enough to be sure of a share, and less work beside all that is tested."""
_TASK = "airflow worker -- "


@contextmanager
def deployment(root: Path, suites: dict[str, str]) -> Iterator["Lab"]:
    """Start everything with these suites (file name to text); surely stop it."""
    for folder in ("dags", "plugins"):
        there, cache = CHECKOUT / folder, shutil.ignore_patterns("__pycache__")
        shutil.copytree(there, root / folder, ignore=cache)
    (root / "experiments").mkdir()
    for name, text in suites.items():
        (root / "experiments" / f"{name}.suite.yaml").write_text(text)
    lab = Lab(root)
    try:
        lab.up()
        yield lab
    finally:
        lab.thaw()
        lab.down()


class Lab:
    """One deployment: what runs in it, and the runs that are asked of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(root / "home", root / "experiments")
        self._frozen: set[int] = set()
        self._begun: dict[str, Asked] = {}

    @cached_property
    def ports(self) -> Ports:
        """The stores and drivers, as any other process of the deployment opens them."""
        return wiring.ports(self.settings)

    def up(self) -> None:
        """Start what is not running; a second time, only that."""
        done = self.command("up", timeout=180)
        assert not done.returncode, done.stdout + done.stderr

    def down(self) -> None:
        """Stop everything."""
        done = self.command("down", timeout=120)
        assert not done.returncode, done.stdout + done.stderr

    def command(self, *words: str, timeout: float = 240.0) -> subprocess.CompletedProcess[str]:
        """Run `holdfast` as a person does."""
        environ = {
            "PATH": os.defpath, "HOME": str(Path.home()), "LANG": "C.UTF-8", "COLUMNS": "200",
            "SHOP_LOAD_RATE": RATE, "HOLDFAST_HOME": str(self.settings.home),
            "HOLDFAST_EXPERIMENTS": str(self.settings.experiments),
        }
        return subprocess.run(
            [str(Path(sys.executable).parent / "holdfast"), *words], env=environ, text=True,
            cwd=self.root, capture_output=True, check=False, timeout=timeout,
        )

    @contextmanager
    def airflow(self) -> Iterator[AirflowRest]:
        """Airflow's REST API as the deployment's person."""
        with AirflowRest(connection(self.settings.connections, "airflow_default")) as rest:
            yield rest

    def trigger(self, suite: str, **conf: object) -> "Asked":
        """Start a run of a suite, as soon as Airflow answers, and come back at once."""
        asked = Asked(self, suite, f"test-{time.time_ns()}")

        until(self._answers, 60.0, lambda: "Airflow does not answer", pause=ASK_PAUSE)
        with self.airflow() as rest:
            rest.trigger(suite, asked.dag_run_id, conf)
        return asked

    def _answers(self) -> bool:
        try:
            with self.airflow():
                return True
        except AirflowUnreachable:
            return False

    def begin(self, suite: str) -> None:
        """Trigger it for whoever asks for it next; nothing without a name."""
        if suite:
            self._begun[suite] = self.trigger(suite)

    def begun(self, suite: str) -> "Asked":
        """Take the run that was begun, or begin one."""
        return self._begun.pop(suite, None) or self.trigger(suite)

    def pids(self, name: str) -> list[int]:
        """The process of Airflow's that has this name, and all in its session; leader first."""
        leader = int((AirflowPlaces(self.settings).run_dir / f"{name}.pid").read_text())
        rest = [p for p in psutil.pids() if p != leader and _session(p) == leader]
        return [leader, *rest]

    def workers(self) -> list[int]:
        """The LocalExecutor's workers and the tasks they run."""
        return self.pids("scheduler")[1:]

    def tasks(self) -> list[int]:
        """The processes that run a task now, without the workers that wait for them."""
        titles = {pid: _title(pid) for pid in self.workers()}
        return [p for p, t in titles.items() if _TASK in t and "LocalExecutor" not in t]

    def workers_of(self, tasks: Sequence[int]) -> list[int]:
        """The workers that wait for these tasks."""
        return [psutil.Process(pid).ppid() for pid in tasks]

    def shop_pid(self, name: str) -> int:
        """A process of the shop."""
        return int((self.settings.home / "shop" / "run" / f"{name}.pid").read_text())

    def keeper(self, lease: Lease) -> list[int]:
        """The keeper's parent and child."""
        text = (self.settings.journals / f"{lease.id}.pid").read_text()
        return [int(line.split()[0]) for line in text.splitlines()]

    def kill(self, pids: Sequence[int]) -> None:
        """SIGKILL; who has just left is dead as well."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_airflow(self) -> None:
        """SIGKILL to the supervisor and all of Airflow."""
        assert kill_airflow(self.settings) > 5
        assert supervisor_pid(AirflowPlaces(self.settings)) is None

    @contextmanager
    def store_away(self, rubbish: bytes = b"") -> Iterator[None]:
        """Meanwhile there is no live.db, or one that is rubbish."""
        self.ports.leases.close()  # type: ignore[attr-defined]  # this thread's connection
        live, away = self.settings.live, self.root / "away"
        away.mkdir(exist_ok=True)
        mine = [live.with_name(live.name + end) for end in ("", "-wal", "-shm")]
        for file in mine:
            if file.exists():
                file.rename(away / file.name)
        if rubbish:
            live.write_bytes(rubbish)
        try:
            yield
        finally:
            for file in mine:
                file.unlink(missing_ok=True)
            for file in away.iterdir():
                file.rename(live.with_name(file.name))

    def freeze(self, pids: Sequence[int]) -> None:
        """Stop these processes until `thaw`."""
        for pid in pids:
            self._frozen.add(pid)
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let everybody that was frozen go on."""
        while self._frozen:
            pid = self._frozen.pop()
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True)
class Asked:
    """One run that was triggered."""

    lab: Lab
    suite: str
    dag_run_id: str

    @property
    def id(self) -> str:
        """In the books."""
        return f"{self.suite}--{self.dag_run_id}"

    @property
    def leases(self) -> Sequence[Lease]:
        """Its leases, oldest first."""
        return self.lab.ports.leases.leases(run_id=self.id)

    @property
    def book(self) -> Run:
        """What the books say of it."""
        found = self.lab.ports.books.run(self.id)
        assert found is not None
        return found

    def lines(self, lease: Lease) -> Sequence[Line]:
        """The journal of one of its leases."""
        return self.lab.ports.journals.open(lease.id).lines()

    def until_active(self, number: int = 0, limit: float = 90.0) -> Lease:
        """Wait until the fault of its n-th lease is on."""
        def found() -> bool:
            return self.leases[number:][:1] != [] and self.leases[number].state in _ON
        until(found, limit, lambda: f"{self.id}: {self.leases}; {self.tasks()}")
        lease = self.leases[number]
        assert lease.state is LeaseState.ACTIVE, lease
        return lease

    def until_state(self, lease: Lease, state: LeaseState, limit: float) -> float:
        """Wait for this line in the journal; the CLOCK_BOOTTIME it was written at."""
        until(lambda: self.lines(lease)[-1].state is state, limit, lambda: str(self.lines(lease)))
        return self.lines(lease)[-1].boottime

    def until_over(self, limit: float = 120.0) -> str:
        """Wait until Airflow has ended it, and say how."""
        why = lambda: f"{self.id}: {self.tasks()}"  # noqa: E731
        until(lambda: self.state() in _ENDED, limit, why, pause=ASK_PAUSE)
        return self.state()

    def state(self) -> str:
        """As Airflow has it; empty when it does not answer."""
        try:
            with self.lab.airflow() as rest:
                return rest.run(self.suite, self.dag_run_id).state
        except AirflowUnreachable:
            return ""

    def tasks(self) -> dict[str, str]:
        """Task id to state."""
        with self.lab.airflow() as rest:
            return dict(rest.tasks(self.suite, self.dag_run_id))


_ON = frozenset(LeaseState) - {LeaseState.OPENED, LeaseState.ARMED, LeaseState.INJECTING}


def until(
    true: Callable[[], bool], limit: float, why: Callable[[], str] = str, pause: float = _PAUSE
) -> None:
    """Wait for it, at most so many seconds."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, f"not within {limit:g} s: {why()}"
        time.sleep(pause)


def boottime() -> float:
    """The clock of journals."""
    return SystemClock().boottime()


def _title(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0
