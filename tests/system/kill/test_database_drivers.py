"""The same deaths with faults of a database and a door: whoever died, users are well again (S4)."""

import json
import shutil
from dataclasses import replace

import pytest

from holdfast.model.fault import Effect
from holdfast.model.lease import LeaseState
from holdfast.registry import Registry
from holdfast.steps.janitor import sweep
from support.database import Users
from support.disk import Disk
from support.door import Door
from support.pair import Pair
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.kill, pytest.mark.xdist_group("database-kills")]
DRIVERS = Registry("faults", "DRIVER")
FAULTS = {
    "postgres.lock_storm": ("rows", {"table": "rows"}),
    "postgres.exhaust_connections": ("logins", {}),
    "postgres.slow_queries": ("queries", {}),
    "postgres.corrupt_page": ("pages", {"table": "pages"}),
    "postgres.disk_full": ("disk", {}),
    "security.revoke_login": ("logins", {}),
    "security.expire_certificate": ("door", {}),
}
"""What its users feel, and its parameters."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A pair of servers and a door, with the connections that lead there."""
    home = tmp_path_factory.mktemp("place")
    (home / "data").mkdir()
    pair, door = Pair(home / "data"), Door(home)
    try:
        pair.build()
        door.start()
        entry = {"conn_type": "postgres", "host": "127.0.0.1", "login": "postgres",
                 "port": pair.a.port, "password": pair.password, "schema": "postgres",
                 "extra": {"role": "app", "nodes": [
                     {"name": name, "host": "127.0.0.1", "port": server.port}
                     for name, server in (("a", pair.a), ("b", pair.b))]}}
        file = home / "connections.json"
        file.write_text(json.dumps({"db": entry, "tls": door.connection()}))
        file.chmod(0o600)
        users = Users((pair.a.port, pair.b.port), pair.password)
        yield home, dict(users.observers()) | {"door": door.is_trusted}
    finally:
        door.stop()
        pair.stop()


@pytest.fixture(params=FAULTS)
def hit(request, lab, place):
    """The lab's lease on one of the faults, and what its users see."""
    home, observers = place
    shutil.copy2(home / "connections.json", lab.home)
    disk = Disk(lab.home)
    disk.start()
    request.addfinalizer(disk.stop)
    observers = {**observers, "disk": disk.can_be_written}
    felt, params = FAULTS[request.param]
    driver = DRIVERS[request.param]
    assert driver.effect is Effect.HELD

    class Lab(type(lab)):
        """Hit while its users feel it."""

        @property
        def is_hit(self):
            return not observers[felt]()

    lab.__class__ = Lab
    lab.ports = replace(lab.ports, drivers=DRIVERS)
    lab.driver, lab.fault_type = driver, request.param
    lab.selector = {"postgres": "db", "tls": "tls", "disk": disk.folder.name}
    lab.activate(**params)
    return lab


def kill_parent(lab):
    lab.kill(lab.pids[0])


def kill_child(lab):
    lab.kill(lab.pids[1])


def kill_both(lab):
    lab.kill(*lab.pids)
    lab.guard.end()
    assert sweep(lab.ports) == [f"lease {lab.lease.id}: clean"]


@pytest.mark.parametrize("death", [kill_parent, kill_child, kill_both])
def test_nothing_is_left(hit, death):
    death(hit)
    hit.until_clean(30.0)
    assert hit.state is LeaseState.CLEAN
    recipe = hit.ports.journals.open(hit.lease.id).recipe()
    wait_for(lambda: not hit.driver.residue(recipe))
