"""A shop comes up, goes down and leaves nothing, whatever happened in between."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from shop import processes
from shop.binaries import program
from shop.down import down
from shop.errors import ShopError
from shop.parts import ALL_PARTS, INCLUDE
from shop.settled import NODES, Settled
from shop.status import status
from shop.up import up
from support.shop import whole_shop

pytestmark = pytest.mark.system


def _everything(shop):
    """All processes of a shop, backends included."""
    names = processes.recorded_names(shop.places.run)
    roots = [processes.recorded(shop.places.run, name) for name in names]
    found = {member for root in roots if root for member in processes.tree(root.pid)}
    return found | {m for node in NODES for m in processes.inside(shop.places.data(node))}


def _listening(shop):
    found = []
    for name, port in shop.ports.items():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(name)
    return found


def _command(home, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "shop", *arguments, "--home", str(home)],
        cwd=INCLUDE, capture_output=True, text=True, timeout=90, check=False,
    )


def test_a_shop_is_up_in_15_seconds_and_down_without_a_trace(tmp_path):
    began = time.monotonic()
    started = _command(tmp_path, "up", "--json")
    seconds = time.monotonic() - began
    try:
        told = json.loads(started.stdout)
        shop = Settled.read(tmp_path)
        members = _everything(shop)
        again = _command(tmp_path, "up")
    finally:
        stopped = _command(tmp_path, "down")
    assert told["up"]
    assert told["streaming"]
    assert {"a": "primary", "b": "standby"} == told["roles"]
    assert seconds < 15
    assert "up already" in again.stdout
    assert 0 == stopped.returncode
    assert [] == [m for m in members if m.is_alive()]
    assert [] == _listening(shop)
    assert {} == json.loads((tmp_path / "connections.json").read_text())
    assert not status(tmp_path).up


def test_down_leaves_nothing_when_the_supervisor_was_killed(tmp_path):
    with whole_shop(tmp_path) as shop:
        members = _everything(shop)
        os.kill(processes.recorded(shop.places.run, "supervisor").pid, signal.SIGKILL)
        for name in ("api-1", "postgres-a"):
            processes.send([processes.recorded(shop.places.run, name)], signal.SIGSTOP)
        down(tmp_path)
        assert [] == [m for m in members if m.is_alive()]
        assert [] == _listening(shop)


def test_up_after_a_crash_clears_what_is_left_and_starts_anew(tmp_path):
    with whole_shop(tmp_path) as crashed:
        members = _everything(crashed)
        crash = [processes.recorded(crashed.places.run, n) for n in ("supervisor", "haproxy")]
        processes.send(crash, signal.SIGKILL)
        assert [] == processes.wait_gone(crash, 5.0)
        assert up(tmp_path)
        assert [] == [m for m in members if m.is_alive()]
        assert status(tmp_path).up


def test_two_shops_at_once_do_not_meet(tmp_path):
    with whole_shop(tmp_path / "one") as one, whole_shop(tmp_path / "two") as two:
        assert set() == set(one.ports.values()) & set(two.ports.values())
        assert one.password != two.password
        down(tmp_path / "one")
        assert status(tmp_path / "two").up


def test_a_start_that_fails_names_the_cure_and_leaves_nothing(tmp_path, monkeypatch):
    def none(name):
        if name == "haproxy":
            raise ShopError("haproxy is not installed; run: sudo apt-get install -y haproxy")
        return program(name)

    monkeypatch.setattr("shop.binaries.program", none)
    with pytest.raises(ShopError, match="apt-get install -y haproxy"):
        up(tmp_path, ALL_PARTS)
    assert [] == processes.recorded_names(tmp_path / "shop" / "run")


def test_a_part_that_never_comes_up_takes_the_rest_down_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr("shop.up._START_SECONDS", 5.0)
    monkeypatch.setattr("shop.up.configuration", lambda _shop: "nonsense\n")
    with pytest.raises(ShopError, match=r"haproxy\.log"):
        up(tmp_path)
    assert [] == processes.recorded_names(tmp_path / "shop" / "run")
    assert [] == [m for node in NODES for m in processes.inside(tmp_path / "shop" / "data" / node)]
