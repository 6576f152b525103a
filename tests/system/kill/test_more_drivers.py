"""Deaths of the keeper while a fault of more parts is on: workers, restarts, a shut door (S4)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from holdfast.model.lease import LeaseState
from holdfast.registry import Registry
from holdfast.steps.janitor import sweep
from support.shop import tcp_proxy
from support.trees import Kept, Tree

pytestmark = [pytest.mark.system, pytest.mark.kill]

SELECTOR = {"process": "run/app-1.pid", "environment": "env/app-1.env", "proxy": "shop_proxy"}
KINDS = ["process.crash_loop", "process.cpu_burn", "process.clock_skew", "dependency.down"]


@pytest.fixture
def target(lab) -> Iterator[object]:
    """The lab's lease on a supervised tree and on a path, with drivers that ship."""
    tree = Tree(lab.home, "app-1")
    kept = Kept(lab.home, [tree])
    drivers = Registry("faults", "DRIVER")
    lab.ports = replace(lab.ports, drivers=drivers)
    lab.selector = SELECTOR
    kept.start()
    with tcp_proxy(lab.home):
        yield lab
        lab.guard.end()
    kept.stop()


def begin(lab, kind: str) -> None:
    """The fault is on, and seen by the path that must later find nothing."""
    lab.fault_type, lab.driver = kind, lab.ports.drivers[kind]
    lab.arm()
    lab.guard.start()
    lab.until(lambda: lab.state is LeaseState.ACTIVE, 30)
    assert residue(lab)


def residue(lab):
    return lab.driver.residue(lab.ports.journals.open(lab.lease.id).recipe())


def kill_parent(lab):
    lab.kill(lab.pids[0])


def kill_child(lab):
    lab.kill(lab.pids[1])


def kill_both(lab):
    """Nobody of the keeper is left: the janitor finds it by its journal."""
    lab.kill(*lab.pids)
    lab.guard.end()
    assert [f"lease {lab.lease.id}: clean"] == sweep(lab.ports)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("death", [kill_parent, kill_child, kill_both])
def test_no_residue_whoever_of_the_keeper_died(target, kind, death):
    begin(target, kind)
    death(target)
    target.until(lambda: target.state is LeaseState.CLEAN, 40)
    assert not residue(target)
