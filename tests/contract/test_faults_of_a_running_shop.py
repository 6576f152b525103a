"""Path, process and load faults on the whole demo shop: seen, ended, nothing left (F1 F2 F5)."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.clients import processes
from holdfast.model.fault import Fault
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry
from shop.settled import Settled
from shop.status import answers
from support.shop import whole_shop
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("running-shop")]
DRIVERS: Registry[FaultDriver] = Registry("faults", "DRIVER")
DATABASE = {"proxy": "shop_proxy"}
PAYMENT = {"proxy": "shop_payment_proxy"}
API = {"process": "shop/run/api-1.pid", "environment": "shop/env/api-1.env"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settled]:
    with whole_shop(tmp_path_factory.mktemp("running")) as shop:
        yield shop


def fault(home: Path, name: str, selector: Mapping[str, str], **params: float) -> Fault:
    return Fault(name, "shop", selector, str(home), timedelta(seconds=5), params=params)


@pytest.mark.parametrize(("name", "selector", "params"), [
    ("network.latency", DATABASE, {}),
    ("network.jitter", DATABASE, {}),
    ("network.loss", DATABASE, {"loss": 0.3}),
    ("network.partition", DATABASE, {}),
    ("network.reset", DATABASE, {}),
    ("network.bandwidth", DATABASE, {}),
    ("network.slow_close", DATABASE, {}),
    ("dependency.slow", PAYMENT, {}),
    ("dependency.failing", PAYMENT, {}),
    ("dependency.down", PAYMENT, {}),
    ("process.kill", {"process": "shop/run/api-2.pid"}, {}),
    ("process.crash_loop", {"process": "shop/run/payment.pid"}, {}),
    ("process.hang", API, {}),
    ("process.cpu_burn", API, {}),
    ("process.memory_pressure", API, {"most": 64}),
    ("process.exhaust_descriptors", API, {}),
    ("process.clock_skew", API, {}),
    ("load.raise", {"load": "shop_load"}, {"factor": 2}),
])
def test_a_fault_of_the_shop_is_seen_and_leaves_nothing(
    name: str, selector: dict[str, str], params: dict[str, float], shop: Settled
) -> None:
    driver, home = DRIVERS[name], shop.places.home
    one = fault(home, name, selector, **params)
    assert driver.targets(one)
    recipe = driver.arm(one, f"L-{name.replace('.', '-')}")
    driver.inject(recipe)
    try:
        time.sleep(1)  # the shop feels it
        assert driver.residue(recipe) or driver.effect.value == "one_shot"
    finally:
        driver.revert(recipe)
    wait_for(lambda: not driver.residue(recipe), 15)


def test_the_api_lives_at_another_time_and_goes_on_selling(shop: Settled) -> None:
    """F2: libfaketime and the API's own libraries get along."""
    driver = DRIVERS["process.clock_skew"]
    recipe = driver.arm(fault(shop.places.home, "process.clock_skew", API), "L-skewed-api")
    driver.inject(recipe)
    pid = int(shop.places.pid_file("api-1").read_text())
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{shop.ports['api-1']}/health"), 15)
        assert pid == int(shop.places.pid_file("api-1").read_text())
        assert f"{86400}s" in processes.environment(pid)["FAKETIME"]
    finally:
        driver.revert(recipe)
    wait_for(lambda: not driver.residue(recipe), 15)
