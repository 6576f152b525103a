"""Every fault driver keeps the protocol's promises, on real targets (F1 F2 F3 F5; S3)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from holdfast.errors import FaultError
from holdfast.model.fault import Effect, Recipe
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry
from holdfast.safety.targets import drifted
from support.faults import LEASE, NO_EFFECT, OTHER, Bench
from support.waiting import wait_for

pytestmark = pytest.mark.system
DRIVERS: Registry[FaultDriver] = Registry("faults", "DRIVER")
SHARED = frozenset({"process.hang", "process.exhaust_descriptors", "postgres.pause_replay"})
"""A process is stopped, a replay paused, once for everybody: the second lease is refused at arm
when the first is active; armed before, the first revert ends both."""
_HALVES = (0.0, 0.003, 0.03)
_INJECT = """
import json, sys
from holdfast.model.fault import Recipe
from holdfast.registry import Registry
recipe = Recipe(**json.loads(sys.argv[1]))
driver = Registry("faults", "DRIVER")[recipe.fault_type]
print("now", flush=True)
driver.inject(recipe)
"""
every_driver = pytest.mark.parametrize("name", list(DRIVERS))
every_effect = pytest.mark.parametrize("name", [n for n in DRIVERS if n not in NO_EFFECT])


@pytest.fixture(scope="session")
def whole_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("bench"))
    yield bench
    bench.stop()


@pytest.fixture
def bench(whole_bench: Bench) -> Iterator[Bench]:
    try:  # what the last test restarted may take a moment; what it left broken is begun anew
        wait_for(lambda: not whole_bench.suffering(), 3)
    except TimeoutError:
        whole_bench.restart()
        heals(whole_bench)
    yield whole_bench


def armed(bench: Bench, name: str, lease: str = LEASE) -> tuple[FaultDriver, Recipe]:
    driver = DRIVERS[name]
    try:
        return driver, driver.arm(bench.fault(name, driver.params), lease)
    except FaultError as error:
        pytest.fail(f"{name} finds no target on the bench, add one to support/faults.py: {error}")


def is_clean(driver: FaultDriver, recipe: Recipe) -> None:
    """As soon as after a revert of the product's: its other path may see the end a moment later."""
    try:
        wait_for(lambda: not driver.residue(recipe), 3)
    except TimeoutError:
        pytest.fail(f"left: {driver.residue(recipe)}")


def heals(bench: Bench) -> None:
    try:
        wait_for(lambda: not bench.suffering(), 10)
    except TimeoutError:
        pytest.fail(f"still suffering: {bench.suffering()}")


@every_driver
def test_naming_targets_and_arming_touch_nothing(name: str, bench: Bench) -> None:
    driver, before = DRIVERS[name], bench.fingerprint()
    targets = driver.targets(bench.fault(name, driver.params))
    armed(bench, name)
    assert before == bench.fingerprint()
    assert targets and all(0 <= t.share <= 1 and t.service == "bench" for t in targets)
    planned = [{"share_permille": round(t.share * 1000)} | asdict(t) for t in targets]
    again = driver.targets(bench.fault(name, driver.params))
    assert "" == drifted(planned, again)  # or every run would be refused at arm


@every_driver
def test_a_recipe_is_plain_data_without_secrets(name: str, bench: Bench) -> None:
    _, recipe = armed(bench, name)
    text = json.dumps(asdict(recipe))
    assert recipe == Recipe(**json.loads(text))
    assert bench.password not in text


@every_effect
def test_a_target_that_is_not_there_is_refused_by_name(name: str, bench: Bench) -> None:
    driver, fault = DRIVERS[name], bench.fault_nowhere(name)
    for refuses in (driver.targets, lambda f: driver.arm(f, LEASE)):
        with pytest.raises(FaultError) as refused:
            refuses(fault)
        assert "no" in refused.value.target and refused.value.target in str(refused.value)


@every_effect
def test_the_effect_is_real_and_so_is_its_end(name: str, bench: Bench) -> None:
    driver, recipe = armed(bench, name)
    driver.inject(recipe)
    wait_for(bench.suffering, 2)  # a user may take a moment to notice
    driver.revert(recipe)
    is_clean(driver, recipe)
    heals(bench)


@every_driver
def test_residue_is_seen_while_the_fault_is_active_and_not_after(name: str, bench: Bench) -> None:
    seen: Any = ()
    # A target that repairs itself may be quicker than a look at it, though not every time.
    tries = 1 if DRIVERS[name].effect is Effect.HELD else 3
    while not seen and tries:
        driver, recipe = armed(bench, name)
        driver.inject(recipe)
        seen = driver.residue(recipe)
        driver.revert(recipe)
        assert not driver.residue(recipe)
        heals(bench)
        tries -= 1
    assert seen


@every_driver
def test_each_call_may_be_repeated(name: str, bench: Bench) -> None:
    driver, recipe = armed(bench, name)
    driver.inject(recipe)
    driver.inject(recipe)
    driver.revert(recipe)
    driver.revert(recipe)
    is_clean(driver, recipe)
    heals(bench)


@every_driver
def test_a_revert_without_an_injection_changes_nothing(name: str, bench: Bench) -> None:
    driver, recipe = armed(bench, name)
    before = bench.fingerprint()
    begun = time.monotonic()
    driver.revert(recipe)
    is_clean(driver, recipe)
    assert before == bench.fingerprint()
    assert time.monotonic() - begun < 2


@every_driver
@pytest.mark.parametrize("after", _HALVES)
def test_half_an_injection_can_be_reverted(name: str, after: float, bench: Bench) -> None:
    driver, recipe = armed(bench, name)
    command = [sys.executable, "-c", _INJECT, json.dumps(asdict(recipe))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        child.stdout.readline()  # type: ignore[union-attr]
        time.sleep(after)
        child.kill()
    driver.revert(recipe)
    is_clean(driver, recipe)
    heals(bench)


@every_driver
def test_a_target_restarted_in_between_is_left_alone(name: str, bench: Bench) -> None:
    driver, recipe = armed(bench, name)
    driver.inject(recipe)
    bench.restart()
    driver.revert(recipe)
    is_clean(driver, recipe)
    heals(bench)


@every_driver
def test_another_lease_side_by_side_keeps_its_fault(name: str, bench: Bench) -> None:
    if DRIVERS[name].effect is not Effect.HELD:
        pytest.skip("only one lease can kill a thing")
    (driver, one), (_, two) = armed(bench, name), armed(bench, name, OTHER)
    driver.inject(one)
    try:
        driver.inject(two)
        driver.revert(one)
        left: Any = driver.residue(two)
    finally:
        driver.revert(one)
        driver.revert(two)
    assert left or name in SHARED
    is_clean(driver, two)
    heals(bench)


@pytest.mark.parametrize("name", sorted(SHARED))
def test_a_target_another_lease_holds_is_refused(name: str, bench: Bench) -> None:
    driver, recipe = armed(bench, name)
    driver.inject(recipe)
    try:
        with pytest.raises(FaultError, match="already"):
            driver.arm(bench.fault(name, driver.params), OTHER)
    finally:
        driver.revert(recipe)
