"""`holdfast stop --all --hold` with twenty faults on, and with a part of Holdfast gone (S5).

As a person types it, on real processes that hang. With Airflow gone too: tests/system/airflow.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.clients import processes
from holdfast.errors import HoldfastError, Postponed
from holdfast.faults.process.hang import DRIVER as HANG
from holdfast.model.fault import Fault
from holdfast.model.lease import LeaseState, Reason, Renewal
from support.leases import a_lease, file_ports
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.kill, pytest.mark.timeout(120)]
MANY, LEASE_SECONDS = 20, 5.0
WHY = "customers cannot pay"
ON = (LeaseState.INJECTING, LeaseState.ACTIVE)


class Fleet:
    """Faults on processes of their own, each held by a real keeper, all watched by one guard."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.targets = [subprocess.Popen(["sleep", "600"]) for _ in range(MANY)]
        self.ports = file_ports(home, {"PATH": os.defpath, "PYTHONPATH": str(INCLUDE)},
                                drivers={"process.hang": HANG})
        (home / "run").mkdir()
        for number, target in enumerate(self.targets):
            (home / "run" / f"x-{number}.pid").write_text(str(target.pid))
        self.ids: list[str] = []
        self._over = threading.Event()
        self._guard = threading.Thread(target=self._watch, daemon=True)

    def arm(self, number: int) -> None:
        """One more lease, whose keeper waits for the guard."""
        lease = self.ports.leases.open(a_lease(
            id=f"lease-{number}", fault_type="process.hang", duration_seconds=60.0,
            lease_seconds=LEASE_SECONDS, experiment=f"hang-{number}"))
        fault = Fault("process.hang", "api", {"process": f"run/x-{number}.pid"}, str(self.home),
                      timedelta(seconds=60))
        recipe = HANG.arm(fault, lease.id)
        self.ports.journals.create(lease, fault, recipe)
        self.ports.keepers.start(lease.id)
        self.ids.append(lease.id)

    def begin(self) -> None:
        """All armed, then watched, then on."""
        for number in range(MANY):
            self.arm(number)
        wait_for(lambda: self.are(LeaseState.ARMED), 60)
        self.watch()
        wait_for(lambda: self.are(LeaseState.ACTIVE), 30)
        wait_for(lambda: len(self.hanging) == MANY)

    def watch(self) -> None:
        self._guard.start()

    def are(self, *states: LeaseState) -> bool:
        return all(self.state(i) in states for i in self.ids)

    def state(self, lease_id: str) -> LeaseState:
        return self.ports.journals.open(lease_id).lines()[-1].state

    @property
    def hanging(self) -> list[int]:
        """Seen on the processes themselves."""
        looks = [processes.look(target.pid) for target in self.targets]
        return [look.pid for look in looks if look is not None and look.is_stopped]

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(Path(sys.executable).parent / "holdfast"), *words], text=True, check=False,
            capture_output=True, timeout=90, cwd=self.home,
            env={"PATH": os.defpath, "HOLDFAST_HOME": str(self.home), "COLUMNS": "200"})

    @contextmanager
    def no_store(self):
        """The store's files are gone meanwhile."""
        self.ports.leases.close()
        away = self.home / "away"
        away.mkdir()
        mine = list(self.home.glob("live.db*"))
        for file in mine:
            file.rename(away / file.name)
        try:
            yield
        finally:
            for file in self.home.glob("live.db*"):
                file.unlink()
            for file in away.iterdir():
                file.rename(self.home / file.name)

    def end(self) -> None:
        self._over.set()
        if self._guard.is_alive():
            self._guard.join()
        for lease_id in self.ids:
            with suppress(HoldfastError):
                self.ports.keepers.kill(lease_id)
        for target in self.targets:
            target.kill()
            target.wait()
        self.ports.leases.close()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            with suppress(HoldfastError):
                self.ports.leases.renew([Renewal(i) for i in self.ids])


INCLUDE = Path(__file__).parents[3] / "include"


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path)
    yield made
    made.end()


def is_refused(fleet):
    """No new fault, whatever its environment, and the refusal says why."""
    for environment in ("lab", "never-used"):
        with pytest.raises(Postponed, match=WHY):
            fleet.ports.leases.open(a_lease(id="late", environment=environment))


def is_allowed_again(fleet):
    done = fleet.command("release", "--all")
    assert not done.returncode, done.stderr
    fleet.ports.leases.open(a_lease(id="later"))


def stopped(fleet, told):
    """By the command: exit code, what is left, and who, when and why on record."""
    done = fleet.command("stop", "--all", "--hold", WHY)
    said = done.stdout + done.stderr
    assert (0, True) == (done.returncode, told in said), said
    assert fleet.are(LeaseState.CLEAN)
    assert [] == fleet.hanging
    (line,) = (json.loads(x) for x in (fleet.home / "stops.jsonl").read_text().splitlines())
    assert (WHY, True, True) == (line["why"], bool(line["by"]), bool(line["at"]))


def test_twenty_faults_end_within_their_lease(fleet):
    fleet.begin()
    stopped(fleet, f"{MANY} faults ended, all clean")
    rows = [fleet.ports.leases.read(i) for i in fleet.ids]
    assert {(Reason.STOPPED, WHY)} == {(r.revoked.reason, r.revoked.text) for r in rows}
    spans = [r.clean_at - max(r.injected_at, x.boottime) for r in rows
             for x in fleet.ports.journals.open(r.id).lines() if x.state is LeaseState.REVERTING]
    assert max(spans) < LEASE_SECONDS
    is_refused(fleet)
    is_allowed_again(fleet)


def test_twenty_faults_end_without_the_store_which_refuses_new_ones_when_it_is_back(fleet):
    fleet.begin()
    with fleet.no_store():
        stopped(fleet, "ended, all clean")  # on a busy machine their leases were sooner
    is_refused(fleet)
    is_allowed_again(fleet)


def test_what_is_being_armed_never_becomes_a_fault(fleet):
    """Keepers that wait for their guard; it begins to watch just after the stop."""
    for number in range(3):
        fleet.arm(number)
    wait_for(lambda: fleet.are(LeaseState.ARMED), 30)
    stopped(fleet, "3 faults ended, all clean")
    fleet.watch()
    states = [x.state for i in fleet.ids for x in fleet.ports.journals.open(i).lines()]
    assert not set(states) & set(ON), states
    is_refused(fleet)


def test_a_lease_that_was_opened_before_the_stop_is_armed_for_nothing(fleet):
    """Its keeper starts after the stop has looked: the epoch and the file say no."""
    lease = fleet.ports.leases.open(a_lease(id="lease-0", fault_type="process.hang",
                                            lease_seconds=LEASE_SECONDS))
    fleet.command("stop", "--all", "--hold", WHY)
    fault = Fault("process.hang", "api", {"process": "run/x-0.pid"}, str(fleet.home),
                  timedelta(seconds=60))
    fleet.ports.journals.create(lease, fault, HANG.arm(fault, lease.id))
    fleet.ids.append(lease.id)
    fleet.watch()
    with suppress(HoldfastError):
        fleet.ports.keepers.start(lease.id)
    wait_for(lambda: not fleet.ports.keepers.is_alive(lease.id), 20)
    assert [] == fleet.hanging
    assert not {x.state for x in fleet.ports.journals.open(lease.id).lines()} & set(ON)
