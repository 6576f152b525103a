"""What a node does next: never two primaries, never a primary by its own decision (R4)."""

import pytest

from shop.places import Places
from shop.postgres import rights
from shop.postgres.cluster import Cluster
from shop.postgres.configuration import is_standby, write_configuration
from shop.postgres.node import UNDECIDED_SECONDS, Step, next_step
from shop.settled import Settled


@pytest.mark.parametrize(("seen", "step"), [
    pytest.param((True, True, False, True, 0), Step.NOTHING, id="primary-as-chosen"),
    pytest.param((True, False, True, True, 0), Step.NOTHING, id="standby-as-wanted"),
    pytest.param((True, True, True, True, 0), Step.NOTHING, id="being-promoted"),
    pytest.param((True, False, False, True, 0), Step.FENCE, id="a-second-primary-is-fenced"),
    pytest.param((False, True, False, False, 9e9), Step.CREATE, id="first-start"),
    pytest.param((False, True, False, True, 0), Step.NOTHING, id="dead-primary-waits"),
    pytest.param((False, True, False, True, UNDECIDED_SECONDS), Step.START, id="none-came"),
    pytest.param((False, True, True, True, 0), Step.START, id="chosen-standby-starts"),
    pytest.param((False, False, True, True, 0), Step.START, id="dead-standby-starts-again"),
    pytest.param((False, False, False, True, 0), Step.JOIN, id="deposed-primary-joins"),
    pytest.param((False, False, False, False, 0), Step.JOIN, id="empty-node-joins"),
])
def test_the_next_step_follows_from_what_is_there(seen, step):
    names = ("alive", "chosen", "standby", "complete", "dead_for")
    assert step == next_step(**dict(zip(names, seen, strict=True)))


def test_each_decision_has_a_higher_epoch(tmp_path):
    places = Places(tmp_path)
    assert Cluster("a", 1) == Cluster.read(places)
    Cluster.read(places).after("b").write(places)
    assert Cluster("b", 2) == Cluster.read(places)


@pytest.fixture
def shop(tmp_path):
    settled = Settled(Places(tmp_path), {"postgres-a": 1001, "postgres-b": 1002}, "secret")
    settled.places.data("b").mkdir(parents=True)
    return settled


def test_a_standbys_settings_are_its_own_and_hold_no_password(shop):
    write_configuration(shop, "b", standby=True)
    settings = (shop.places.data("b") / "postgresql.auto.conf").read_text()
    assert "port = '1002'" in settings
    assert "port=1001" in settings
    assert "primary_slot_name = 'node_b'" in settings
    assert "secret" not in settings


def test_a_primarys_settings_name_nobody_to_follow(shop):
    write_configuration(shop, "b", standby=True)
    write_configuration(shop, "b", standby=False)
    settings = (shop.places.data("b") / "postgresql.auto.conf").read_text()
    assert "primary_conninfo" not in settings
    assert not is_standby(shop.places.data("b"))


def test_root_becomes_nobody_and_keeps_one_capability(monkeypatch):
    monkeypatch.setattr(rights.os, "geteuid", lambda: 0)
    line = rights.command("postgres", "-D", "x")
    assert line[0].endswith("setpriv")
    assert {"--reuid=65534", "--clear-groups", "--ambient-caps=+dac_override"} < set(line)
    assert ["-D", "x"] == line[-2:]


def test_an_ordinary_user_runs_postgresql_directly(monkeypatch):
    monkeypatch.setattr(rights.os, "geteuid", lambda: 1000)
    assert rights.command("postgres", "-D", "x")[0].endswith("/bin/postgres")
