"""process.exhaust_descriptors: the soft limit only, and only where it is still ours (F2)."""

import json
import resource
from dataclasses import asdict

import pytest

from holdfast.clients import processes
from holdfast.errors import FaultError
from holdfast.faults.process.exhaust_descriptors import ExhaustDescriptorsDriver
from holdfast.model.fault import Recipe
from support.waiting import wait_for
from unit.faults.conftest import Home

DRIVER = ExhaustDescriptorsDriver()


def limits(pid: int) -> tuple[int, int]:
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


def test_nobody_of_the_tree_can_open_anything_and_then_can_again(home: Home) -> None:
    before = {pid: limits(pid) for pid in home.tree.pids}
    recipe = DRIVER.arm(home.fault("process.exhaust_descriptors"), "L-files")
    recipe = Recipe(**json.loads(json.dumps(asdict(recipe))))
    DRIVER.inject(recipe)
    assert not home.tree.is_beating()
    assert len(DRIVER.residue(recipe)) == 4
    assert [hard for _, hard in before.values()] == [limits(pid)[1] for pid in before]
    DRIVER.revert(recipe)
    wait_for(home.tree.is_beating)
    assert before == {pid: limits(pid) for pid in before}
    assert not DRIVER.residue(recipe)


def test_a_limit_that_somebody_else_has_set_since_stays(home: Home) -> None:
    recipe = DRIVER.arm(home.fault("process.exhaust_descriptors"), "L-files")
    DRIVER.inject(recipe)
    resource.prlimit(home.root, resource.RLIMIT_NOFILE, (77, limits(home.root)[1]))
    DRIVER.revert(recipe)
    assert limits(home.root)[0] == 77
    assert not DRIVER.residue(recipe)


def test_the_number_that_may_still_be_opened_is_spared(home: Home) -> None:
    tight, loose = (
        DRIVER.arm(home.fault("process.exhaust_descriptors", spare=n), "L-files").undo["limits"]
        for n in (0, 10)
    )
    root = str(home.root)
    assert loose[root][1] == tight[root][1] + 10  # type: ignore[index]


def test_a_tree_that_is_gone_is_told(home: Home) -> None:
    recipe = DRIVER.arm(home.fault("process.exhaust_descriptors"), "L-files")
    former = home.root
    home.tree.kill()
    wait_for(lambda: home.root != former, 10)
    with pytest.raises(FaultError, match="gone since the fault was armed"):
        DRIVER.inject(recipe)
    assert processes.look(home.root)
