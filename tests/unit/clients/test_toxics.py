from collections.abc import Iterator

import pytest

from holdfast.clients.connections import Connection
from holdfast.clients.toxics import Proxy, Toxics, round_trip
from holdfast.errors import FaultError, TransientFaultError
from support.control_api import ControlApi, control_api, slow_answers


@pytest.fixture
def api() -> Iterator[ControlApi]:
    with control_api() as api:
        yield api


def toxics(api: ControlApi, proxy: str = "database") -> Toxics:
    host, port = api.server_address[:2]
    return Toxics(Connection("shop_proxy", "http", str(host), port, extra={"proxy": proxy}))


def test_a_toxic_is_added_as_toxiproxy_wants_it(api: ControlApi) -> None:
    toxics(api).add("holdfast-L1", {"latency": 200, "jitter": 5})
    assert api.toxics == {"holdfast-L1": {
        "name": "holdfast-L1", "type": "latency", "stream": "downstream", "toxicity": 1.0,
        "attributes": {"latency": 200, "jitter": 5},
    }}


def test_a_toxic_that_is_there_stays_as_it_is(api: ControlApi) -> None:
    for latency in (200, 900):
        toxics(api).add("holdfast-L1", {"latency": latency})
    assert api.toxics["holdfast-L1"]["attributes"] == {"latency": 200}


def test_a_toxic_that_is_not_there_may_be_removed(api: ControlApi) -> None:
    toxics(api).remove("holdfast-L1")
    assert toxics(api).proxy() == Proxy("127.0.0.1:9", "127.0.0.1:9", ())


def test_an_unknown_proxy_is_refused_by_name(api: ControlApi) -> None:
    with pytest.raises(FaultError, match="shop_proxy:nowhere: the control API knows no such proxy"):
        toxics(api, "nowhere").proxy()


def test_what_the_api_refuses_is_told(api: ControlApi) -> None:
    api.broken = True
    with pytest.raises(FaultError, match="refused"):
        toxics(api).add("holdfast-L1", {})
    with pytest.raises(TransientFaultError, match="the toxic stays"):
        toxics(api).remove("holdfast-L1")


def test_an_api_that_is_not_there_may_come_back() -> None:
    gone = Toxics(Connection("shop_proxy", "http", "127.0.0.1", 9, extra={"proxy": "database"}))
    with pytest.raises(TransientFaultError, match="does not answer"):
        gone.proxy()
    assert gone.metric("active", "holdfast-L1") is None


@pytest.mark.parametrize(("metrics", "expected"), [
    pytest.param("", None, id="no-metrics"),
    pytest.param("other 1\n", None, id="metrics-that-do-not-know-toxics"),
    pytest.param("# TYPE active gauge\n", 0.0, id="never-seen"),
    pytest.param('active{toxic="holdfast-L1"} 1\n', 1.0, id="active"),
    pytest.param('active{toxic="holdfast-L2"} 1\n', 0.0, id="another's"),
])
def test_a_figure_is_read_for_one_toxic(
    metrics: str, expected: float | None, api: ControlApi
) -> None:
    api.metrics = metrics
    assert toxics(api).metric("active", "holdfast-L1") == expected


def test_a_round_trip_is_measured() -> None:
    with slow_answers(0.0) as address:
        trip = round_trip(address, 1.0)
    assert trip is not None
    assert trip < 0.5


def test_a_round_trip_is_not_waited_for_beyond_the_limit() -> None:
    with slow_answers(0.3) as address:
        assert round_trip(address, 0.05) == 0.05


def test_where_nobody_answers_there_is_no_round_trip() -> None:
    assert round_trip("127.0.0.1:9", 0.5) is None
    assert round_trip("", 0.5) is None
    with slow_answers(0.0, answer=b"") as address:
        assert round_trip(address, 0.5) is None
