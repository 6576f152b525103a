"""R6: under real load, across a real fail-over, every check of shop-core's data holds."""

import signal
import time
from pathlib import Path

import pytest

from holdfast import wiring
from holdfast.clock import SystemClock
from holdfast.model.verdict import Verdict
from holdfast.settings import Settings
from holdfast.steps.book import findings
from holdfast.steps.check import check
from holdfast.steps.plan import PlanRequest, plan
from holdfast.steps.snapshot import snapshot
from shop import processes
from shop.postgres.cluster import Cluster
from support.shop import healed, whole_shop

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]  # loading a library may take long
SUITES = Path(__file__).parents[3] / "experiments"
RUN = "shop-core--data"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with whole_shop(tmp_path_factory.mktemp("data")) as shop:
        time.sleep(2)
        yield shop


def _kill_primary(shop):
    pid = int(shop.places.pid_file(f"node-{Cluster.read(shop.places).primary}").read_text())
    processes.send(processes.tree(pid), signal.SIGKILL)
    assert healed(shop, 60)


def test_no_check_of_the_data_sees_anything_in_a_fail_over(shop):
    ports = wiring.ports(Settings(home=shop.places.home, experiments=SUITES))
    plan(ports, PlanRequest(RUN, SUITES / "shop-core.suite.yaml"))
    snapshot(ports, RUN)
    time.sleep(8)
    _kill_primary(shop)
    snapshot(ports, RUN, "primary-failover")
    time.sleep(2)
    began = SystemClock().boottime()
    check(ports, RUN)
    seconds = SystemClock().boottime() - began
    said = {f.name: (f.verdict, f.text, dict(f.measured)) for f in findings(ports, RUN)}
    print(f"\nconsistency task: {seconds:.1f} s", *said.items(), sep="\n")
    assert {"lost_writes-orders", "bank-transfers", "tables-database", "expectations-database"} \
        == set(said)
    assert [Verdict.HELD] * 4 == [verdict for verdict, _, _ in said.values()], said
    assert 3 == said["bank-transfers"][2]["looks"]
    assert said["bank-transfers"][2]["acknowledged"] >= 10
