"""The same deaths with a driver that ships: a hung process tree goes on, whoever died."""

import signal
import time
from dataclasses import replace

import pytest

from holdfast.model.lease import LeaseState
from holdfast.registry import Registry
from holdfast.steps.revert import revert

pytestmark = [pytest.mark.system, pytest.mark.kill]


@pytest.fixture
def hang(lab):
    """The lab's lease, but on `process.hang`."""
    (lab.home / "target.pid").write_text(str(lab.target.pid))
    drivers = Registry("faults", "DRIVER")
    lab.ports = replace(lab.ports, drivers=drivers)
    lab.driver = drivers["process.hang"]
    lab.fault_type, lab.selector = "process.hang", {"process": "target.pid"}
    return lab


def kill_parent(lab):
    lab.kill(lab.pids[0])


def kill_both(lab):
    lab.kill(*lab.pids)
    revert(lab.ports, lab.lease.id)


def silence(lab):
    lab.guard.end()


def terminate(lab):
    lab.kill(lab.pids[0], number=signal.SIGTERM)


@pytest.mark.parametrize("death", [kill_parent, kill_both, silence, terminate])
def test_a_hung_process_goes_on(hang, death):
    hang.activate()
    began = time.monotonic()
    death(hang)
    hang.until_clean()
    assert time.monotonic() - began < 3.0
    assert LeaseState.CLEAN is hang.state
    assert hang.target.poll() is None
