"""A target to break, a keeper to kill, and a guard that can be told to fall silent."""

import contextlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.clients.host import start_time
from holdfast.errors import HoldfastError
from holdfast.model.fault import Fault
from holdfast.model.lease import Lease, LeaseState, Renewal
from holdfast.ports.leases import Line
from holdfast.stores.live import SqliteLeases
from support.leases import a_lease, file_ports

WHEEL = Path(__file__).parent / "wheel"
INCLUDE = Path(__file__).parents[3] / "include"
LEASE_SECONDS = 1.0


def _driver():
    spec = importlib.util.spec_from_file_location("probe_driver", WHEEL / "probe_driver.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DRIVER


class Lab:
    """One lease on one `sleep` process, over real stores, with a real keeper."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.target = subprocess.Popen(["sleep", "600"])
        environ = {"PATH": os.defpath, "PYTHONPATH": f"{INCLUDE}:{WHEEL}"}
        self.driver = _driver()
        self.ports = file_ports(home, environ, drivers={"probe": self.driver})
        self.guard = Guard(home)
        self.fault_type, self.selector = "probe", {"process": str(self.target.pid)}
        self.lease: Lease

    def arm(self, lease_id: str = "lease-1", duration: float = 30.0, delay: float = 0.0,
            **params: object) -> None:
        """Open a lease, journal it, start its keeper and wait until it is armed."""
        lease = a_lease(
            id=lease_id, fault_type=self.fault_type, lease_seconds=LEASE_SECONDS,
            duration_seconds=duration, delay_seconds=delay,
            opened_at=datetime.now(UTC).isoformat(),
        )
        fault = Fault(self.fault_type, "api", self.selector, str(self.home),
                      timedelta(seconds=duration), timedelta(seconds=delay), params)
        self.lease = self.ports.leases.open(lease)
        recipe = self.driver.arm(fault, lease.id)
        self.ports.journals.create(self.lease, fault, recipe)
        self.ports.keepers.start(lease.id)
        self.until(lambda: self.state is LeaseState.ARMED)
        self.guard.lease_id = lease.id

    def activate(self, **params: object) -> None:
        """Arm, watch, and wait until the fault is on."""
        self.arm(**params)
        self.guard.start()
        self.until(lambda: self.state is LeaseState.ACTIVE)
        self.until(lambda: self.is_hit)  # a stopped process must run once more to stop

    @property
    def state(self) -> LeaseState:
        """As the journal has it."""
        return self.lines[-1].state

    @property
    def lines(self) -> list[Line]:
        return list(self.ports.journals.open(self.lease.id).lines())

    @property
    def row(self) -> Lease:
        return self.ports.leases.read(self.lease.id)

    @property
    def is_hit(self) -> bool:
        stat = Path(f"/proc/{self.target.pid}/stat").read_text().rpartition(")")[2]
        return stat.split()[0] == "T"

    @property
    def pids(self) -> tuple[int, int]:
        """The keeper's parent and child."""
        path = self.ports.settings.journals / f"{self.lease.id}.pid"
        self.until(lambda: len(path.read_text().splitlines()) == 2)
        first, second = (int(line.split()[0]) for line in path.read_text().splitlines())
        return first, second

    @property
    def calls(self) -> list[str]:
        path = self.home / "calls.jsonl"
        if not path.exists():
            return []
        return [json.loads(line)["call"] for line in path.read_text().splitlines()]

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> float:
        """Wait for it; how long it took."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > seconds:
                log = self.ports.settings.journals / f"{self.lease.id}.log"
                states = [line.state.value for line in self.lines]
                raise AssertionError(f"not within {seconds} s; {states}; log:\n{log.read_text()}")
            time.sleep(0.005)
        return time.monotonic() - began

    def until_clean(self, seconds: float = 10.0) -> float:
        """Wait until the target is free, then until the journal says so too."""
        took = self.until(lambda: not self.is_hit, seconds)
        self.until(lambda: self.state is LeaseState.CLEAN, seconds)
        return took

    def kill(self, *pids: int, number: signal.Signals = signal.SIGKILL) -> None:
        for pid in pids:
            os.kill(pid, number)

    def close(self) -> None:
        self.guard.end()
        with contextlib.suppress(HoldfastError):
            self.ports.keepers.kill("lease-1")
        self.target.kill()
        self.target.wait()
        self.ports.leases.close()


class Guard(threading.Thread):
    """Renews the lease every 50 ms, with its own connection, until told to fall silent."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self.store = SqliteLeases(home / "live.db", busy_seconds=0.05, create=False)
        self.lease_id = ""
        self._quiet = threading.Event()

    def run(self) -> None:
        while not self._quiet.wait(0.05):
            with contextlib.suppress(HoldfastError):
                self.store.renew([Renewal(self.lease_id)])
        self.store.close()

    def end(self) -> None:
        self._quiet.set()
        if self.is_alive():
            self.join()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.close()


def wait_gone(pid: int, seconds: float = 5.0) -> None:
    """Return once the process has ended."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            assert start_time(pid) is None or select.select([handle], [], [], seconds)[0]
        finally:
            os.close(handle)
