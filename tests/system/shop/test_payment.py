"""A whole shop whose payments break: it goes on selling, loses no order, charges none twice."""

import json
import os
import signal
import socket
import ssl
import time
import urllib.request

import pytest

from shop import processes
from shop.postgres.cluster import Cluster
from shop.settled import HOST
from support.orders import now, seen
from support.payments import (
    APIS,
    ask,
    balances,
    charged,
    let_payments_through,
    measured,
    payments,
)
from support.shop import healed, whole_shop

pytestmark = pytest.mark.system
_LONG = 90.0  # an idle machine needs seconds; a busy one has time-outs of its own


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with whole_shop(tmp_path_factory.mktemp("payment")) as shop:
        time.sleep(2)
        yield shop


def _all(shop, name, value, **labels):
    try:
        return all(measured(shop, api, name, **labels) == value for api in APIS)
    except OSError:  # one was killed, and is not back yet
        return False


def _settled(shop):
    """Whether every order of a while ago is paid, and charged as what it costs."""
    before = {key for key, (state, _) in payments(shop).items() if state == "pending"}
    time.sleep(1)
    there, taken = payments(shop), charged(shop)
    late = {key for key in before if there[key][0] == "pending"}
    paid = {key: amount for key, (state, amount) in there.items() if state == "paid"}
    return not late and paid == {key: taken.get(key) for key in paid} and taken.keys() <= set(there)


def test_orders_go_on_while_payments_are_broken_and_are_collected_once(shop):
    """R2, R6: breaker and fallback do their work, nothing is lost, and nothing taken twice."""
    since = now()
    let_payments_through(shop, enabled=False)
    try:
        opened = processes.wait_for(lambda: _all(shop, "shop_api_breaker_state", 2), _LONG)
        time.sleep(3)
        sold = seen(shop, since).acknowledged
        fallbacks = [measured(shop, api, "shop_api_fallbacks_total") for api in APIS]
        os.kill(int(shop.places.pid_file("api-1").read_text()), signal.SIGKILL)
    finally:
        let_payments_through(shop, enabled=True)
    assert opened
    assert min(fallbacks) > 0
    assert len(sold) > 20
    assert processes.wait_for(lambda: _all(shop, "shop_api_breaker_state", 0), _LONG)
    assert processes.wait_for(lambda: _settled(shop), _LONG, pause=1.0)
    assert {"paid"} == {state for key, (state, _) in payments(shop).items() if key in sold}
    assert 1 <= measured(shop, "api-2", "shop_api_breaker_transitions_total", to="half-open")


def test_a_killed_payment_service_is_back_and_remembers_what_it_took(shop):
    """R2, R6: while it is away orders are taken without it; its ledger outlives it."""
    before = charged(shop)
    pid = int(shop.places.pid_file("payment").read_text())
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_for(lambda: _pid(shop, "payment") != pid, _LONG)
    assert processes.wait_for(lambda: len(charged(shop)) > len(before), _LONG, pause=0.5)
    assert before.items() <= charged(shop).items()
    assert processes.wait_for(lambda: _settled(shop), _LONG, pause=1.0)


def _pid(shop, name):
    return int(shop.places.pid_file(name).read_text())


def test_a_fail_over_replaces_the_pools_connections_and_no_money_is_lost(shop):
    """R4, R6: every API makes its connections anew; accounts and payments agree afterwards."""
    opened = {api: measured(shop, api, "shop_api_pool_opened_total") for api in APIS}
    old = Cluster.read(shop.places).primary
    os.kill(_pid(shop, f"postgres-{old}"), signal.SIGKILL)
    assert processes.wait_for(lambda: Cluster.read(shop.places).primary != old, _LONG)
    assert healed(shop, _LONG)
    for api in APIS:
        assert processes.wait_for(
            lambda api=api: measured(shop, api, "shop_api_pool_opened_total") >= opened[api] + 16,
            _LONG, pause=0.5,
        )  # fmt: skip
        assert 1 <= measured(shop, api, "shop_api_pool_lost_total")
    assert processes.wait_for(lambda: _settled(shop), _LONG, pause=1.0)
    assert 100 * 1000 == balances(shop)


def test_the_load_is_raised_for_as_long_as_was_asked_and_no_longer(shop):
    """F6: the limit is the load's own; nobody has to take the raise back."""
    calm = _sent_in_a_second(shop)
    ask(shop, "load", "PUT", "/raises/m", {"factor": 3, "seconds": 4})
    raised = _sent_in_a_second(shop)
    assert 2 * calm < raised
    assert processes.wait_for(lambda: not _raises(shop)["raises"], 10)
    assert 50 == _raises(shop)["rate"]


def _raises(shop):
    return json.loads(ask(shop, "load", "GET", "/raises"))


def _sent_in_a_second(shop):
    since = now()
    time.sleep(1.5)
    invoked = (json.loads(li) for li in shop.places.history.read_text().splitlines()[-600:-1])
    return sum(e["type"] == "invoke" and 0 <= e["intended"] - since < 10**9 for e in invoked)


def test_a_reading_of_an_account_is_answered_and_noted(shop):
    """F4: who reads accounts is in the audit log, the load and anybody else."""
    url = f"http://{HOST}:{shop.ports['api-1']}/accounts/7"
    request = urllib.request.Request(url, headers={"X-Reader": "an auditor"})
    with urllib.request.urlopen(request, timeout=30) as response:
        assert {"account", "balance"} == json.loads(response.read()).keys()
    noted = [json.loads(line) for line in shop.places.audit.read_text().splitlines()]
    (ours,) = (line for line in noted if line["reader"] == "an auditor")
    assert (7, "api-1") == (ours["account"], ours["api"])
    assert {"load", "an auditor"} == {line["reader"] for line in noted}


def test_a_reading_without_a_name_is_refused(shop):
    with pytest.raises(urllib.error.HTTPError, match="422"):
        ask(shop, "api-1", "GET", "/accounts/7")


def test_the_tls_door_is_believed_and_haproxy_knows_its_certificate(shop):
    """F4: as the load sees it, as anybody sees it, and as HAProxy's runtime API names it."""
    trusts = ssl.create_default_context(cafile=shop.places.authority)
    with (
        socket.create_connection((HOST, shop.ports["front-tls"]), timeout=30) as plain,
        trusts.wrap_socket(plain, server_hostname=HOST) as secure,
    ):
        assert (("commonName", "Corner shop"),) in secure.getpeercert()["subject"]
    with socket.socket(socket.AF_UNIX) as runtime:
        runtime.connect(str(shop.places.socket))
        runtime.sendall(b"show ssl cert\n")
        assert str(shop.places.certificate) in runtime.recv(4096).decode()
    assert 0o600 == shop.places.socket.stat().st_mode & 0o777
    assert processes.wait_for(lambda: _secure_operations(shop) > 0, _LONG, pause=1.0)


def _secure_operations(shop):
    return measured(
        shop, "load", "shop_load_operations_total", operation="secure", outcome="ok"
    )
