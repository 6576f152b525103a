"""Two machines with one PostgreSQL as their store: each has its home, journals and processes.

The guard is a process of the first, the fault and its keeper are the second's (N1, S3, S5).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.clients import processes
from holdfast.clients.host import host_name
from holdfast.errors import Postponed
from holdfast.faults.process.hang import DRIVER as HANG
from holdfast.model.fault import Fault
from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.ports.bundle import Ports
from holdfast.steps.janitor import sweep
from holdfast.stores.keepers import LocalKeepers
from holdfast.stores.places import leases_of
from support.elsewhere import elsewhere
from support.fleet import Fleet, prometheus
from support.guard import a_watch
from support.leases import a_lease, file_ports
from support.server import StoreServer
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.kill]
INCLUDE = Path(__file__).parents[2] / "include"
HOLDFAST = str(Path(sys.executable).parent / "holdfast")
LEASE_SECONDS = 4.0
ENVIRON = {"PATH": os.defpath, "PYTHONPATH": str(INCLUDE)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    made = StoreServer(tmp_path_factory.mktemp("store") / "data")
    try:
        made.build()
        yield made
    finally:
        made.stop()


class World:
    """Two homes; on the second a process hangs while a guard of the first watches."""

    def __init__(self, server: StoreServer, first: Path, second: Path) -> None:
        self.server = server
        self.first, self.second = self.machine(first), self.machine(second)
        self.target = subprocess.Popen(["sleep", "600"])
        self.guard: Fleet | None = None

    def machine(self, home: Path) -> Ports:
        settings = self.server.settings(home)
        return file_ports(home, settings=settings, leases=leases_of(settings),
                          keepers=LocalKeepers(settings, ENVIRON), drivers={"process.hang": HANG})

    def begin(self) -> None:
        """Arm on the second, watch on the first, until it hangs."""
        home = self.second.settings.home
        (home / "x.pid").write_text(str(self.target.pid))
        lease = self.second.leases.open(a_lease(
            fault_type="process.hang", lease_seconds=LEASE_SECONDS, duration_seconds=600.0,
            opened_at=datetime.now(UTC).isoformat()))
        fault = Fault("process.hang", "api", {"process": "x.pid"}, str(home), timedelta(minutes=10))
        self.second.journals.create(lease, fault, HANG.arm(fault, lease.id))
        self.second.keepers.start(lease.id)
        watch = a_watch(lease.id, lease=LEASE_SECONDS).model_dump(mode="json")
        settings = self.first.settings
        self.guard = Fleet(settings.home, "guard", {lease.id: watch}, settings.store)
        wait_for(lambda: self.state is LeaseState.ACTIVE and self.hangs, 30)

    @property
    def environ(self) -> dict[str, str]:
        """Of commands that are typed on the first machine."""
        settings = self.first.settings
        return ENVIRON | {"HOLDFAST_HOME": str(settings.home), "HOLDFAST_STORE": settings.store,
                          "COLUMNS": "200"}

    @property
    def state(self) -> LeaseState:
        """By the journal on the second machine's disk."""
        return self.second.journals.open("lease-1").lines()[-1].state

    @property
    def hangs(self) -> bool:
        look = processes.look(self.target.pid)
        return look is not None and look.is_stopped

    def is_over(self) -> bool:
        return self.state is LeaseState.CLEAN and not self.hangs

    def stop(self) -> None:
        if self.guard is not None:
            self.guard.kill()
        self.second.keepers.kill("lease-1")
        self.target.kill()
        self.target.wait()
        for machine in (self.first, self.second):
            machine.leases.close()  # type: ignore[attr-defined]


@pytest.fixture
def world(server: StoreServer, tmp_path: Path) -> Iterator[World]:
    server.clear()
    (tmp_path / "first").mkdir(mode=0o700)
    with prometheus(tmp_path / "first"):
        made = World(server, tmp_path / "first", tmp_path / "second")
        try:
            yield made
        finally:
            made.stop()


def test_the_guards_machine_dies_and_the_fault_on_the_other_ends(world: World) -> None:
    world.begin()
    world.guard.kill()
    wait_for(world.is_over, LEASE_SECONDS + 5)
    wait_for(lambda: world.first.leases.read("lease-1").state is LeaseState.CLEAN, 5)
    assert End.SILENCE is world.first.leases.read("lease-1").ended


def test_a_stop_typed_on_one_machine_ends_and_refuses_on_the_other(world: World) -> None:
    world.begin()
    settings = world.first.settings
    done = subprocess.run(
        [*elsewhere(settings.home, "first"), HOLDFAST, "stop", "--all", "--hold", "pay day"],
        text=True, check=False, capture_output=True, timeout=60, cwd=settings.home,
        env=world.environ)
    assert 0 == done.returncode, done.stdout + done.stderr
    wait_for(world.is_over, LEASE_SECONDS)
    assert "lease lease-1: clean" in done.stdout
    assert Reason.STOPPED is world.second.leases.read("lease-1").revoked.reason
    with pytest.raises(Postponed, match="pay day"):
        world.second.leases.lock("lab", "suite--night")


def test_the_store_dies_and_comes_back(world: World, server: StoreServer) -> None:
    """Nobody can renew: the fault ends by the keeper's clock, and the store learns of it later."""
    world.begin()
    server.stop()
    try:
        wait_for(world.is_over, LEASE_SECONDS + 5)
    finally:
        server.start()
        wait_for(server.answers, 30)

    def is_told() -> bool:
        sweep(world.second)
        return world.first.leases.read("lease-1").state is LeaseState.CLEAN

    wait_for(is_told, 20)
    assert world.first.leases.unlock("lab", "suite--run")


def test_an_environment_is_for_one_run_of_all_machines(world: World) -> None:
    world.first.leases.lock("lab", "suite--1")
    with pytest.raises(Postponed, match="run suite--1 has it"):
        world.second.leases.lock("lab", "suite--2")
    stop = Revocation(Reason.STOPPED, "enough", "ann", "2026")
    assert [] == world.second.leases.stop(stop, run_id="suite--1")
    assert 1 == world.first.leases.environment("lab").epoch


def test_the_janitor_of_one_machine_leaves_what_the_other_keeps(world: World) -> None:
    """A fault that is on is the other's, though no journal of it is here."""
    world.begin()
    home = world.first.settings.home
    world.first.settings.live.touch()  # it used files once
    said = {}
    for command in ("sweep", "down", "status"):
        done = subprocess.run(
            [*elsewhere(home, "first"), HOLDFAST, command], text=True, check=False,
            capture_output=True, timeout=60, cwd=home, env=world.environ)
        assert 0 == done.returncode, done.stdout + done.stderr
        said[command] = done.stdout
    assert "lease-1" in said["status"]
    assert f"keeper on {host_name()}" in said["status"]
    assert LeaseState.ACTIVE is world.state
    assert world.first.leases.read("lease-1").revoked is None


def test_the_guard_reads_its_store_from_what_the_trigger_was_given(world: World) -> None:
    world.begin()
    work = json.loads((world.first.settings.home / "guard.work").read_text())
    assert {"home": str(world.first.settings.home), "store": "store_db"} == work["where"]
    assert not world.first.settings.live.exists()
