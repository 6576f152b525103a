"""A whole shop under the faults it is there for: how much customers notice, and that it heals.

The bounds are about three times what an idle machine shows.
"""

import json
import os
import signal
import time
import urllib.request

import pytest

from shop import processes
from shop.postgres.cluster import Cluster
from shop.settled import HOST
from shop.status import replication
from support.orders import now, seen, stored
from support.shop import healed, whole_shop

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")  # mode 0700: nobody but the owner may pass


@pytest.fixture(scope="module")
def shop(home):
    with whole_shop(home) as shop:
        time.sleep(2)
        yield shop


@pytest.fixture(autouse=True)
def _heals(shop):
    yield
    assert healed(shop)
    assert processes.wait_for(lambda: _calm(shop), 20, pause=0.5)


def _calm(shop):
    since = now()
    time.sleep(1)
    found = seen(shop, since)
    return found.total > 30 and found.not_ok == 0


def _pid(shop, name):
    return int(shop.places.pid_file(name).read_text())


def _signal_tree(pid, number):
    processes.send(processes.tree(pid), number)


def _proxy(shop, method, path="", body=None):
    request = urllib.request.Request(
        f"http://{HOST}:{shop.ports['proxy-control']}/proxies/database{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.read()


def test_the_standby_streams_and_customers_are_served(shop):
    since = now()
    time.sleep(3)
    found = seen(shop, since)
    assert ({"a": "primary", "b": "standby"}, True) == replication(shop)
    assert found.total >= 100
    assert 0 == found.not_ok


def test_a_toxic_adds_the_milliseconds_it_was_asked_for_and_nothing_more(shop):
    toxic = {"name": "t", "type": "latency", "attributes": {"latency": 200, "jitter": 0}}
    _proxy(shop, "POST", "/toxics", toxic)
    since = now()
    time.sleep(3)
    _proxy(shop, "DELETE", "/toxics/t")
    slow = seen(shop, since)
    since = now()
    time.sleep(2)
    assert 0.2 <= slow.quantile(0.5) < 0.3
    assert seen(shop, since + 500_000_000).quantile(0.5) < 0.1


def test_a_hung_api_costs_hardly_a_request(shop):
    since = now()
    _signal_tree(_pid(shop, "api-1"), signal.SIGSTOP)
    time.sleep(4)
    _signal_tree(_pid(shop, "api-1"), signal.SIGCONT)
    time.sleep(2)
    found = seen(shop, since)
    assert found.not_ok <= 0.05 * found.total
    assert found.quantile(1.0) < 3.5


def test_a_killed_api_is_back_by_itself(shop):
    before = _pid(shop, "api-2")
    os.kill(before, signal.SIGKILL)
    assert processes.wait_for(lambda: _pid(shop, "api-2") != before, 5)


def test_a_killed_primary_is_replaced_loses_no_order_and_comes_back_as_standby(shop):
    """R4, R6: promoted by the controller, rewound by the node, nothing acknowledged is lost."""
    old = Cluster.read(shop.places).primary
    since = now()
    os.kill(_pid(shop, f"postgres-{old}"), signal.SIGKILL)
    decided = processes.wait_for(lambda: Cluster.read(shop.places).primary != old, 5)
    assert decided
    assert (now() - since) / 1e9 < 3
    assert healed(shop)
    time.sleep(3)
    found, there = seen(shop), stored(shop)
    assert "standby" == replication(shop)[0][old]
    assert set() == found.acknowledged - there
    assert set() == found.refused & there
    assert seen(shop, since).not_ok < 75


def test_a_hung_primary_is_fenced_before_the_other_takes_over(shop):
    old = Cluster.read(shop.places).primary
    members = processes.tree(_pid(shop, f"postgres-{old}"))
    processes.send(members, signal.SIGSTOP)
    assert processes.wait_for(lambda: Cluster.read(shop.places).primary != old, 8)
    assert [] == processes.wait_gone(members, 5)
    assert healed(shop)
    time.sleep(3)
    assert set() == seen(shop).acknowledged - stored(shop)


def test_a_killed_standby_comes_back_without_a_fail_over(shop):
    cluster = Cluster.read(shop.places)
    standby = "b" if cluster.primary == "a" else "a"
    os.kill(_pid(shop, f"postgres-{standby}"), signal.SIGKILL)
    time.sleep(0.5)
    assert healed(shop)
    assert cluster == Cluster.read(shop.places)


def test_a_killed_proxy_leads_to_the_primary_of_the_day(shop):
    os.kill(_pid(shop, "proxy"), signal.SIGKILL)
    assert processes.wait_for(lambda: _leads_to_primary(shop), 10)


def _leads_to_primary(shop):
    wanted = f"{HOST}:{shop.node_port(Cluster.read(shop.places).primary)}"
    try:
        return json.loads(_proxy(shop, "GET"))["upstream"] == wanted
    except OSError:
        return False


def test_a_killed_controller_leaves_the_nodes_alone(shop):
    nodes = [_pid(shop, f"postgres-{node}") for node in "ab"]
    before = _pid(shop, "controller")
    os.kill(before, signal.SIGKILL)
    assert processes.wait_for(lambda: _pid(shop, "controller") != before, 5)
    assert nodes == [_pid(shop, f"postgres-{node}") for node in "ab"]


def test_a_killed_node_process_finds_its_postgres_again(shop):
    postgres, before = _pid(shop, "postgres-a"), _pid(shop, "node-a")
    os.kill(before, signal.SIGKILL)
    assert processes.wait_for(lambda: _pid(shop, "node-a") != before, 5)
    time.sleep(1)
    assert postgres == _pid(shop, "postgres-a")


def test_prometheus_has_the_customers_view_each_second(shop):
    query = "sum(rate(shop_load_operations_total[5s]))"
    url = f"http://{HOST}:{shop.ports['prometheus']}/api/v1/query?query={urllib.request.quote(query)}"
    with urllib.request.urlopen(url, timeout=5) as response:
        result = json.load(response)["data"]["result"]
    assert 30 < float(result[0]["value"][1]) < 70
