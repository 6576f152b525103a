"""A shop that was started without its mechanisms really goes without them (R2)."""

import json
import os
import signal
import time
from urllib.parse import quote

import pytest

from shop import processes
from shop.__main__ import main
from shop.errors import ShopError
from shop.status import status
from shop.up import up
from support.orders import now, seen
from support.payments import APIS, ask, let_payments_through, measured
from support.shop import whole_shop

pytestmark = pytest.mark.system
_WITHOUT = frozenset({"breaker", "retry", "fallback", "pool-check", "health-check"})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("without")


@pytest.fixture(scope="module")
def shop(home):
    with whole_shop(home, _WITHOUT) as shop:
        time.sleep(2)
        yield shop


def test_it_says_what_it_goes_without(shop, home, capsys):
    main(["status", "--home", str(home)])
    told = capsys.readouterr().out
    assert "without      breaker, fallback, health-check, pool-check, retry" in told
    assert tuple(sorted(_WITHOUT)) == status(home).without
    enabled = {
        name: measured(shop, "api-1", "shop_mechanism_enabled", mechanism=name)
        for name in (*_WITHOUT, "timeout")
    }
    assert {"timeout": 1, **dict.fromkeys(_WITHOUT, 0)} == enabled


def test_it_is_not_the_shop_with_everything(shop, home):
    with pytest.raises(ShopError, match="up already, without breaker, fallback"):
        up(home)


def test_orders_fail_while_payments_are_broken_and_the_breaker_stays_closed(shop):
    since = now()
    let_payments_through(shop, enabled=False)
    try:
        time.sleep(3)
    finally:
        let_payments_through(shop, enabled=True)
    assert seen(shop, since).not_ok > 20
    for api in APIS:
        assert 0 == measured(shop, api, "shop_api_breaker_state")
        assert 0 == measured(shop, api, "shop_api_breaker_transitions_total", to="open")
        assert 0 == measured(shop, api, "shop_api_fallbacks_total")
        assert 0 == _attempts(shop, api, "2")


def _attempts(shop, api, number):
    outcomes = ("ok", "fail", "timeout", "rejected")
    name = "shop_api_payment_attempts_total"
    return sum(measured(shop, api, name, attempt=number, outcome=o) for o in outcomes)


def test_haproxy_goes_on_asking_an_api_that_hangs(shop):
    since, hung = now(), processes.tree(int(shop.places.pid_file("api-1").read_text()))
    processes.send(hung, signal.SIGSTOP)
    try:
        time.sleep(5)
        states = _states(shop)
    finally:
        processes.send(hung, signal.SIGCONT)
    assert {"UP"} == states  # what it says of a server that it does not look at
    waited = [s for s in seen(shop, since).seconds if s > 1.0]
    assert len(waited) > 50  # with health checks it is those of the first second, about 25


def _states(shop):
    query = 'haproxy_server_status{proxy="api"}==1'
    found = json.loads(ask(shop, "prometheus", "GET", f"/api/v1/query?query={quote(query)}"))
    return {one["metric"]["state"] for one in found["data"]["result"]}


def test_lost_connections_are_handed_out_until_they_are_old(shop):
    primary = int(shop.places.pid_file("postgres-a").read_text())
    os.kill(primary, signal.SIGKILL)
    time.sleep(4)  # the standby has taken over: with checks all is well again after two
    since = now()
    time.sleep(2)
    assert seen(shop, since).not_ok > 5
    assert processes.wait_for(lambda: _calm(shop), 90, pause=0.5)


def _calm(shop):
    since = now()
    time.sleep(1)
    found = seen(shop, since)
    return found.total > 20 and found.not_ok == 0
