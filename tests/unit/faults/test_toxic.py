"""The faults made of toxics, against a control API in memory (F1 F2 F5)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults import _patience
from holdfast.faults.network.latency import DRIVER
from holdfast.model.fault import Fault, Recipe
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry
from support.control_api import ControlApi, control_api, slow_answers

DRIVERS: Registry[FaultDriver] = Registry("faults", "DRIVER")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApi]:
    with control_api() as api:
        host, port = api.server_address[:2]
        link = {"conn_type": "http", "host": host, "port": port, "extra": {"proxy": "database"}}
        file = tmp_path / "connections.json"
        file.write_text(json.dumps({"shop_proxy": link}))
        file.chmod(0o600)
        yield api


def fault(home: Path, name: str = "network.latency", **params: float) -> Fault:
    duration, selector = timedelta(seconds=5), {"proxy": "shop_proxy"}
    return Fault(name, "link", selector, str(home), duration, params=params)


def armed(home: Path, **params: float) -> Recipe:
    return DRIVER.arm(fault(home, **params), "L1")


def test_the_toxic_bears_the_lease_and_counts_in_milliseconds(
    api: ControlApi, tmp_path: Path
) -> None:
    DRIVER.inject(armed(tmp_path, latency=0.25, jitter=0.05))
    assert api.toxics["holdfast-L1"]["attributes"] == {"latency": 250, "jitter": 50}


@pytest.mark.parametrize(("name", "params", "toxics"), [
    pytest.param("network.jitter", {"jitter": 0.3},
                 [("latency", "downstream", 1.0, {"latency": 150, "jitter": 150})], id="jitter"),
    pytest.param("network.loss", {"loss": 0.2},
                 [("loss", "downstream", 1.0, {"probability": 0.2}),
                  ("loss", "upstream", 1.0, {"probability": 0.2})], id="loss"),
    pytest.param("network.partition", {},
                 [("timeout", "downstream", 1.0, {"timeout": 0}),
                  ("timeout", "upstream", 1.0, {"timeout": 0})], id="partition"),
    pytest.param("network.reset", {"after": 0.5, "share": 0.25},
                 [("reset_peer", "downstream", 0.25, {"timeout": 500})], id="reset"),
    pytest.param("network.bandwidth", {"rate": 16},
                 [("bandwidth", "downstream", 1.0, {"rate": 16})], id="bandwidth"),
    pytest.param("network.slow_close", {"late": 0.5},
                 [("slow_close", "downstream", 1.0, {"delay": 500}),
                  ("slow_close", "upstream", 1.0, {"delay": 500})], id="slow-close"),
    pytest.param("dependency.slow", {},
                 [("latency", "downstream", 1.0, {"latency": 1000, "jitter": 0})], id="slow"),
    pytest.param("dependency.failing", {"status": 500, "share": 0.3},
                 [("answer", "downstream", 1.0, {"status": 500, "probability": 0.3})],
                 id="failing"),
    pytest.param("dependency.down", {}, [("refuse", "downstream", 1.0, {})], id="down"),
])
def test_a_fault_is_made_of_these_toxics_each_with_the_mark(
    name: str, params: dict[str, float], toxics: list[object], api: ControlApi, tmp_path: Path
) -> None:
    api.version = {"toxics": [kind for kind, *_ in toxics]}  # type: ignore[misc]
    driver = DRIVERS[name]
    recipe = driver.arm(fault(tmp_path, name, **params), "L1")
    driver.inject(recipe)
    added = list(api.toxics.values())
    assert [t["name"] for t in added] == ["holdfast-L1", "holdfast-L1-1"][:len(toxics)]
    assert toxics == [
        (t["type"], t["stream"], t["toxicity"], t["attributes"]) for t in added
    ]
    driver.revert(recipe)
    assert not api.toxics


@pytest.mark.parametrize("name", ["network.loss", "dependency.failing", "dependency.down"])
def test_a_proxy_without_the_toxic_is_refused_before_anything_is_touched(
    name: str, api: ControlApi, tmp_path: Path
) -> None:
    for refuses in (DRIVERS[name].targets, lambda f: DRIVERS[name].arm(f, "L1")):
        with pytest.raises(FaultError, match="shop_proxy:database: this proxy has no toxic"):
            refuses(fault(tmp_path, name))


def test_the_share_of_a_target_is_that_of_its_connections(
    api: ControlApi, tmp_path: Path
) -> None:
    (target,) = DRIVERS["network.reset"].targets(fault(tmp_path, "network.reset", share=0.25))
    assert (target.name, target.share) == ("shop_proxy:database", 0.25)


def test_only_the_own_toxic_is_removed(api: ControlApi, tmp_path: Path) -> None:
    recipe = armed(tmp_path)
    DRIVER.inject(recipe)
    api.toxics["theirs"] = {}
    DRIVER.revert(recipe)
    assert list(api.toxics) == ["theirs"]


@pytest.mark.parametrize(("metrics", "listed", "left"), [
    pytest.param('shop_proxy_toxic_active{toxic="holdfast-L1"} 1', False, True, id="metrics-win"),
    pytest.param('shop_proxy_toxic_active{toxic="holdfast-L1"} 0', True, False, id="inactive"),
    pytest.param("", True, True, id="no-metrics-listed"),
    pytest.param("", False, False, id="no-metrics-not-listed"),
])
def test_where_nothing_can_be_measured_the_figures_decide(
    metrics: str, listed: bool, left: bool, api: ControlApi, tmp_path: Path
) -> None:
    recipe = armed(tmp_path)
    api.metrics = metrics
    if listed:
        DRIVER.inject(recipe)
    assert bool(DRIVER.residue(recipe)) is left


@pytest.mark.parametrize(("via", "direct", "left"), [
    pytest.param(0.0, 0.0, False, id="quick"),
    pytest.param(0.3, 0.0, True, id="slow-only-through-the-proxy"),
    pytest.param(0.3, 0.3, False, id="slow-behind-the-proxy-too"),
])
def test_a_delay_that_no_list_shows_is_measured(
    via: float, direct: float, left: bool, api: ControlApi, tmp_path: Path
) -> None:
    recipe = armed(tmp_path, latency=0.1)
    with slow_answers(via) as api.listen, slow_answers(direct) as api.upstream:
        assert bool(DRIVER.residue(recipe)) is left


def test_an_end_that_no_list_shows_is_seen_by_a_client(api: ControlApi, tmp_path: Path) -> None:
    """A path that refuses, resets or answers otherwise is residue, whatever the lists say."""
    recipe = armed(tmp_path)
    with slow_answers(0.0) as api.upstream:
        assert "a client is refused" in DRIVER.residue(recipe)[0]
        for answer in (b"", None, b"HTTP/1.1 503 Service Unavailable"):
            with slow_answers(0.0, answer) as api.listen:
                assert DRIVER.residue(recipe)


def test_beside_another_fault_nothing_is_measured(api: ControlApi, tmp_path: Path) -> None:
    recipe = armed(tmp_path, latency=0.1)
    api.toxics["theirs"] = {}
    with slow_answers(0.3) as api.listen, slow_answers(0.0) as api.upstream:
        assert not DRIVER.residue(recipe)


def test_a_proxy_that_stays_away_is_told(
    api: ControlApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_patience, "SECONDS", 0.0)
    recipe = armed(tmp_path)
    api.broken = True
    with pytest.raises(TransientFaultError, match="shop_proxy:database"):
        DRIVER.revert(recipe)
