"""The faults on the demo shop's database, which repairs itself meanwhile (R1 R6 F3)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.clients.postgres import Cluster, cluster
from holdfast.errors import FaultError
from holdfast.faults.postgres.corrupt_page import DRIVER as CORRUPT
from holdfast.faults.postgres.disk_full import DRIVER as DISK_FULL
from holdfast.faults.postgres.kill_primary import KillPrimaryDriver
from holdfast.faults.postgres.pause_replay import PauseReplayDriver
from holdfast.model.fault import Fault
from holdfast.model.verdict import Verdict
from holdfast.probes.corruption_detected import PROBE as CORRUPTION_DETECTED
from holdfast.probes.standby_promoted import PROBE as STANDBY_PROMOTED
from shop.down import down
from shop.errors import ShopError
from shop.parts import DATABASE_PARTS
from shop.processes import wait_for
from shop.settled import Settled
from shop.status import replication
from shop.up import up
from support.shop import healed, postgres_pair

pytestmark = pytest.mark.system
KILL, PAUSE = KillPrimaryDriver(), PauseReplayDriver()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    with postgres_pair(tmp_path):
        yield cluster(str(tmp_path), "shop_db")


def fault(home: Path, name: str, **params: bool | float | str) -> Fault:
    duration = timedelta(seconds=5)
    return Fault(name, "database", {"postgres": "shop_db"}, str(home), duration, params=params)


def place_orders(nodes: Cluster, keys: list[str]) -> None:
    for key in keys:
        nodes.ask(nodes.primary(), "SELECT place_order(%s, 1, 1)", key)


def placed(nodes: Cluster) -> set[str]:
    return {key for key, in nodes.ask(nodes.primary(), "SELECT key FROM orders")}


@pytest.mark.parametrize("receive", [False, True])
def test_orders_are_lost_at_a_fail_over_only_when_the_standby_received_none(
    receive: bool, nodes: Cluster, tmp_path: Path
) -> None:
    lag = PAUSE.arm(fault(tmp_path, "postgres.pause_replay", receive=receive), "L-lag")
    PAUSE.inject(lag)
    keys = [f"order-{n}" for n in range(20)]
    place_orders(nodes, keys)
    kill_fault = fault(tmp_path, "postgres.kill_primary")
    kill = KILL.arm(kill_fault, "L-kill")
    KILL.inject(kill)
    PAUSE.revert(lag)
    KILL.revert(kill)
    assert list(PAUSE.residue(lag)) == []
    assert list(KILL.residue(kill)) == []
    assert set(keys) - placed(nodes) == (set(keys) if receive else set())
    seen = STANDBY_PROMOTED.observe({}, str(tmp_path), kill_fault, kill)
    assert seen.verdict is Verdict.HELD


def test_a_damaged_page_of_the_standby_is_noticed_and_mended(
    nodes: Cluster, tmp_path: Path
) -> None:
    """F3: replica corruption. The shop's own supervisor starts the standby again."""
    place_orders(nodes, [f"order-{n}" for n in range(300)])
    standby = next(node for node in nodes.nodes if nodes.in_recovery()[node.name])
    corrupt_fault = fault(tmp_path, "postgres.corrupt_page", table="orders")
    recipe = CORRUPT.arm(corrupt_fault, "L-corrupt")
    CORRUPT.inject(recipe)
    try:
        with pytest.raises(FaultError, match="invalid page"):
            nodes.ask(standby, "SELECT sum(quantity) FROM orders")
        place_orders(nodes, ["order-meanwhile"])
    finally:
        CORRUPT.revert(recipe)
    assert list(CORRUPT.residue(recipe)) == []
    assert CORRUPTION_DETECTED.observe({}, str(tmp_path), corrupt_fault, recipe).verdict \
        is Verdict.HELD
    assert len(nodes.ask(standby, "SELECT key FROM orders WHERE quantity > 0")) >= 300
    assert len(placed(nodes)) == 301


def test_a_standby_whose_disk_is_full_comes_back(tmp_path: Path) -> None:
    """F3: storage failure. Orders go on, and nothing of the disk is in the host's mount table."""
    try:
        up(tmp_path, DATABASE_PARTS, on_small_disk=True)
    except ShopError as error:
        down(tmp_path)
        pytest.skip(str(error))
    try:
        nodes, shop = cluster(str(tmp_path), "shop_db"), Settled.read(tmp_path)
        full = Fault("postgres.disk_full", "database", {"disk": "shop/data/b"}, str(tmp_path),
                     timedelta(seconds=30))
        recipe = DISK_FULL.arm(full, "L-full")
        DISK_FULL.inject(recipe)
        for n in range(12):
            place_orders(nodes, [f"order-{n}"])
            nodes.ask(nodes.primary(), "SELECT pg_switch_wal()")
        assert wait_for(lambda: not replication(shop)[1], 30.0)
        DISK_FULL.revert(recipe)
        assert list(DISK_FULL.residue(recipe)) == []
        assert healed(shop, 60.0)
        assert len(placed(nodes)) == 12
        assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    finally:
        down(tmp_path)
