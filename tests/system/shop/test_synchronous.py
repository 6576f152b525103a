"""A shop that is strictly synchronous acknowledges nothing that its standby has not (R6 X2).

HOLDFAST_PRIMARY_KILLS says how often the primary dies while payments are sent; twice by default.
"""

import os
import signal
import threading
import time

import psycopg
import pytest

from holdfast.clients.connections import connection
from holdfast.clock import SystemClock
from holdfast.steps.histories import Asked as Judged
from holdfast.steps.histories import read
from holdfast.workloads._pace import Pace
from holdfast.workloads._run import Asked, run
from shop import processes
from shop.errors import ShopError
from shop.postgres.cluster import Cluster
from shop.settled import other
from shop.status import status
from shop.up import up
from support.shop import healed, postgres_pair
from support.waiting import wait_for

KILLS = int(os.environ.get("HOLDFAST_PRIMARY_KILLS", "2"))
pytestmark = [pytest.mark.system, pytest.mark.timeout(120 + 40 * KILLS)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("synchronous")


@pytest.fixture(scope="module")
def shop(home):
    with postgres_pair(home, synchronous=True) as shop:
        yield shop


@pytest.fixture
def entry(shop):
    assert healed(shop, 60)
    return connection(shop.places.connections, "shop_ledger")


def waits_for_standby(shop):
    with psycopg.connect(shop.conninfo(shop.ports["proxy"], "test"), autocommit=True) as link:
        return bool(link.execute("SHOW synchronous_standby_names").fetchone()[0])


def test_it_says_so_and_does_not_become_another_shop(shop, home):
    assert status(home).synchronous
    with pytest.raises(ShopError, match="up already, with --synchronous; take it down first"):
        up(home)


def test_without_its_standby_it_takes_nothing_until_there_is_one_again(shop, entry):
    """A shop that is not strict lets the COMMIT go after a second or two."""
    wait_for(lambda: waits_for_standby(shop), 20)
    standby = processes.inside(shop.places.data(other(Cluster.read(shop.places).primary)))
    done = threading.Event()

    def write():
        with psycopg.connect(shop.conninfo(shop.ports["proxy"], "test")) as link:
            link.execute("CREATE TABLE IF NOT EXISTS public.waits (n int)")
        done.set()

    processes.send(standby, signal.SIGSTOP)
    writing = threading.Thread(target=write)
    try:
        writing.start()
        assert not done.wait(9), "acknowledged by the primary alone"
    finally:
        processes.send(standby, signal.SIGCONT)
    writing.join(30)
    assert done.is_set()


@pytest.mark.parametrize("kind", ["set", "list_append"])
def test_nothing_acknowledged_is_lost_however_often_the_primary_dies(shop, entry, tmp_path, kind):
    history, stop, ended = tmp_path / "h.jsonl", threading.Event(), []
    pace = Pace(rate=60.0, clients=8, seconds=600.0, isolation="serializable", pause=0.002)
    sending = threading.Thread(target=lambda: ended.append(
        run(Asked(kind, 5, pace, history), entry, stop, SystemClock())))
    sending.start()
    try:
        for _ in range(KILLS):
            time.sleep(4)
            primary = Cluster.read(shop.places).primary
            processes.send(processes.inside(shop.places.data(primary)), signal.SIGKILL)
            wait_for(lambda dead=primary: Cluster.read(shop.places).primary != dead, 20)
            assert healed(shop, 60)
    finally:
        stop.set()
        sending.join()
    assert (0, True) == (ended[0].unread, ended[0].outcomes["ok"] > 100 * KILLS)
    checked = read(Judged(history, "lost_writes" if kind == "set" else "")).judge()
    assert "valid" == checked.outcome, checked.text
