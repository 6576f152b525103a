"""What Airflow is told about the package, and what it gets from it."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import airflow
import jsonschema
import pytest

from holdfast.model.run import Notice
from holdfast.provider import links, wiring
from holdfast.provider.notifier import HoldfastNotifier
from holdfast.provider.plugin import HoldfastPlugin
from holdfast.provider.provider_info import get_provider_info
from holdfast.provider.runs import RunOf, run_id
from support.ports import memory_ports


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A state folder of this test, named by the environment."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    return tmp_path


def context(**changes):
    """A task's context, as far as it is read."""
    dag_run = {"dag_id": "shop", "run_id": "manual__2026-01-01T02:00:00+00:00",
               "run_type": SimpleNamespace(value="manual"), "triggering_user_name": "sre"}
    return {"dag_run": SimpleNamespace(**dag_run | changes), "params": {"dry_run": True}}


def test_the_provider_info_keeps_airflows_schema():
    schema = Path(airflow.__file__).with_name("provider_info.schema.json").read_text()
    jsonschema.validate(get_provider_info(), json.loads(schema))


def test_airflows_configuration_comes_before_the_environment(home, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__HOLDFAST__HOME", str(tmp_path / "configured"))
    assert tmp_path / "configured" == wiring.settings().home


def test_every_setting_of_ours_may_be_airflows(home, monkeypatch):
    monkeypatch.setenv("AIRFLOW__HOLDFAST__STORE", "holdfast_store")
    monkeypatch.setenv("AIRFLOW__HOLDFAST__COMMANDS", "depth=/bin/d")
    found = wiring.settings()
    assert ("holdfast_store", {"depth": "/bin/d"}) == (found.store, found.commands)
    assert {"home", "experiments", "commands", "store"} == set(
        get_provider_info()["config"]["holdfast"]["options"])


def test_without_configuration_the_environment_counts(home):
    assert home == wiring.settings().home


def test_the_plugin_has_a_name_of_its_own():
    assert "holdfast" == HoldfastPlugin.name


@pytest.mark.parametrize(("airflow_run", "ours"), [
    ("manual__2026-01-01T02:00:00+00:00", "shop--manual__2026-01-01T02_00_00_00_00"),
    ("../../etc", "shop--______etc"),
])
def test_a_run_id_is_safe_in_a_file_name(airflow_run, ours):
    assert ours == run_id("shop", airflow_run)


def test_a_run_knows_who_asked():
    run = RunOf.context(context())
    assert ("sre", None) == (run.triggered_by, run.due)


def test_a_run_that_nobody_asked_for_is_its_schedules():
    kind, due = SimpleNamespace(value="scheduled"), datetime(2026, 1, 1, 2, tzinfo=UTC)
    run = RunOf.context(context(triggering_user_name=None, run_type=kind, run_after=due))
    assert ("scheduled", due) == (run.triggered_by, run.due)


def test_links_show_what_is_up(home):
    file = home / "connections.json"
    file.write_text(json.dumps({
        "shop_http": {"conn_type": "http", "host": "127.0.0.1", "port": 8000, "password": "no"},
    }))
    file.chmod(0o600)
    assert [{"name": "Storefront", "href": "http://127.0.0.1:8000/", "destination": "nav",
             "category": "browse"}] == links.lab_links()


def test_without_a_shop_there_are_no_links(home):
    assert [] == links.lab_links()


@pytest.mark.parametrize("how", ["notify", "async_notify"])
def test_the_notifier_tells_through_the_port(tmp_path, monkeypatch, how):
    ports = memory_ports(tmp_path)
    monkeypatch.setattr(wiring, "ports", lambda: ports)
    told = getattr(HoldfastNotifier("look", kind="abort"), how)(context())
    if how == "async_notify":
        asyncio.run(told)
    assert [Notice("abort", run_id("shop", "manual__2026-01-01T02:00:00+00:00"), "shop", "look")
            ] == ports.notifier.told
