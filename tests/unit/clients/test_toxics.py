from collections.abc import Iterator

import pytest

from holdfast.clients.connections import Connection
from holdfast.clients.toxics import Proxy, Toxic, Toxics, Trial, trial
from holdfast.errors import FaultError, TransientFaultError
from support.control_api import ControlApi, control_api, slow_answers


@pytest.fixture
def api() -> Iterator[ControlApi]:
    with control_api() as api:
        yield api


def toxics(api: ControlApi, proxy: str = "database") -> Toxics:
    host, port = api.server_address[:2]
    return Toxics(Connection("shop_proxy", "http", str(host), port, extra={"proxy": proxy}))


def toxic(latency: float = 200) -> Toxic:
    return Toxic("holdfast-L1", "latency", "downstream", 0.5, {"latency": latency, "jitter": 5})


def test_a_toxic_is_added_as_toxiproxy_wants_it(api: ControlApi) -> None:
    toxics(api).add(toxic())
    assert api.toxics == {"holdfast-L1": {
        "name": "holdfast-L1", "type": "latency", "stream": "downstream", "toxicity": 0.5,
        "attributes": {"latency": 200, "jitter": 5},
    }}


def test_a_toxic_that_is_there_stays_as_it_is(api: ControlApi) -> None:
    for latency in (200, 900):
        toxics(api).add(toxic(latency))
    assert api.toxics["holdfast-L1"]["attributes"]["latency"] == 200


@pytest.mark.parametrize(("version", "knows"), [
    pytest.param({"version": "2.9.0"}, (True, False), id="toxiproxy"),
    pytest.param("2.1.4", (True, False), id="an-older-toxiproxy"),
    pytest.param({"version": "shop", "toxics": ["loss"]}, (False, True), id="one-that-says"),
])
def test_which_kinds_a_proxy_has(
    version: object, knows: tuple[bool, bool], api: ControlApi
) -> None:
    api.version = version
    assert (toxics(api).knows("timeout"), toxics(api).knows("loss")) == knows


def test_a_toxic_that_is_not_there_may_be_removed(api: ControlApi) -> None:
    toxics(api).remove("holdfast-L1")
    assert toxics(api).proxy() == Proxy("127.0.0.1:9", "127.0.0.1:9", ())


def test_an_unknown_proxy_is_refused_by_name(api: ControlApi) -> None:
    with pytest.raises(FaultError, match="shop_proxy:nowhere: the control API knows no such proxy"):
        toxics(api, "nowhere").proxy()


def test_what_the_api_refuses_is_told(api: ControlApi) -> None:
    api.broken = True
    with pytest.raises(FaultError, match="refused"):
        toxics(api).add(toxic())
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


def test_a_trial_is_measured() -> None:
    with slow_answers(0.0) as address:
        seen = trial(address, 1.0)
    assert seen is not None
    assert (seen.outcome, seen.answer) == ("answered", b"N")
    assert 0 < seen.seconds < 0.5


def test_a_trial_does_not_wait_beyond_the_limit() -> None:
    with slow_answers(0.3) as address:
        assert trial(address, 0.05) == Trial("silent", 0.05)


def test_how_a_trial_can_fail() -> None:
    assert trial("127.0.0.1:9", 0.5) == Trial("refused")
    assert trial("", 0.5) is None
    with slow_answers(0.0, answer=b"") as address:
        closed = trial(address, 0.5)
    with slow_answers(0.0, answer=None) as address:
        reset = trial(address, 0.5)
    assert closed is not None
    assert reset is not None
    assert (closed.outcome, reset.outcome) == ("closed", "reset")
