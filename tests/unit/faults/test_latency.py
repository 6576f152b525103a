"""network.latency against a control API in memory (F5)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.errors import TransientFaultError
from holdfast.faults.network import latency
from holdfast.faults.network.latency import LatencyDriver
from holdfast.model.fault import Fault, Recipe
from support.control_api import ControlApi, control_api, slow_answers

DRIVER = LatencyDriver()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ControlApi]:
    with control_api() as api:
        host, port = api.server_address[:2]
        link = {"conn_type": "http", "host": host, "port": port, "extra": {"proxy": "database"}}
        file = tmp_path / "connections.json"
        file.write_text(json.dumps({"shop_proxy": link}))
        file.chmod(0o600)
        yield api


def armed(home: Path, **params: float) -> Recipe:
    duration = timedelta(seconds=5)
    fault = Fault("network.latency", "link", {"proxy": "shop_proxy"}, str(home), duration,
                  params=params)
    return DRIVER.arm(fault, "L1")


def test_the_toxic_bears_the_lease_and_counts_in_milliseconds(
    api: ControlApi, tmp_path: Path
) -> None:
    DRIVER.inject(armed(tmp_path, latency=0.25, jitter=0.05))
    assert api.toxics["holdfast-L1"]["attributes"] == {"latency": 250, "jitter": 50}


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


def test_a_proxy_that_stays_away_is_told(
    api: ControlApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "_PATIENCE", 0.0)
    recipe = armed(tmp_path)
    api.broken = True
    with pytest.raises(TransientFaultError, match="shop_proxy:database"):
        DRIVER.revert(recipe)
