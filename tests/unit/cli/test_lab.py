"""up and down, with the shop and without: whose words go where, and what is left alone."""

import json

import pytest
import typer
from typer.testing import CliRunner

from holdfast.cli import lab
from holdfast.cli.airflow_env import Lab
from holdfast.errors import HoldfastError, SpecError
from holdfast.settings import Settings


@pytest.fixture
def shop(monkeypatch):
    """Stand in for the shop's command: what it was told, and the code it ends with."""
    told = []

    def command(_where, *words):
        told.append(words)
        return told_code[0]

    told_code = [1]
    monkeypatch.setattr(lab, "_shop", command)
    return told, told_code


def test_what_to_leave_out_is_told_to_the_shop(shop):
    told, _ = shop
    CliRunner().invoke(lab.lab, ["up", "--without", "breaker", "--without", "retry"])
    assert [("up", "--without=breaker", "--without=retry")] == told


def test_that_the_shop_is_to_be_synchronous_is_told_to_it(shop):
    told, _ = shop
    CliRunner().invoke(lab.lab, ["up", "--synchronous"])
    assert [("up", "--synchronous")] == told


def test_a_word_the_shop_does_not_know_ends_with_the_code_for_arguments(alone, shop):
    shop[1][0] = 2
    with pytest.raises(typer.Exit) as ended:
        lab.start(alone, ["--without=braker"])
    assert 2 == ended.value.exit_code


def test_a_shop_that_does_not_start_is_an_error(alone):
    with pytest.raises(HoldfastError, match="did not start"):
        lab.start(alone)


@pytest.fixture
def alone(tmp_path, shop, monkeypatch):
    """A deployment without a shop, and an Airflow that starts and is ready at once."""
    where = Settings(tmp_path / "home", tmp_path / "experiments")
    where.home.mkdir()
    monkeypatch.setattr(lab, "_migrate", lambda *_: None)
    monkeypatch.setattr(lab, "_supervise", lambda *_: None)
    monkeypatch.setattr(lab, "_wait", lambda *_: None)
    return where


def keep(where, **entries):
    where.connections.touch(mode=0o600)
    where.connections.write_text(json.dumps(entries))


MINE = {"conn_type": "http", "host": "metrics.example", "port": 9090}


def test_without_the_shop_it_is_neither_started_nor_stopped_and_ones_connections_stay(alone, shop):
    keep(alone, prometheus_default=MINE)
    lab.start(alone, with_shop=False)
    lab.stop(alone)
    assert [] == shop[0]
    assert MINE == json.loads(alone.connections.read_text())["prometheus_default"]


def test_the_addresses_are_those_of_this_airflow_and_its_metrics(alone, capsys):
    lab.start(alone, with_shop=False)
    told = capsys.readouterr().out
    port = json.loads(alone.connections.read_text())["airflow_default"]["port"]
    assert f"http://127.0.0.1:{port} " in told
    assert f"http://127.0.0.1:{Lab(alone).metrics_port()}/metrics" in told
    assert "shop" not in told


def test_a_second_start_takes_the_place_of_the_airflow_of_the_first(alone):
    passwords = set()
    for _ in range(2):
        lab.start(alone, with_shop=False)
        entry = json.loads(alone.connections.read_text())["airflow_default"]
        passwords.add(entry["password"])
    assert 1 == len(passwords)


def test_an_airflow_that_a_person_has_connected_is_not_replaced(alone, shop):
    theirs = MINE | {"login": "sre", "password": "theirs"}
    keep(alone, airflow_default=theirs)
    with pytest.raises(SpecError, match="leads to an Airflow of yours at"):
        lab.start(alone)
    assert [] == shop[0]
    assert {"airflow_default": theirs} == json.loads(alone.connections.read_text())


@pytest.mark.parametrize("words", [("--without", "breaker"), ("--synchronous",)])
def test_what_a_shop_is_to_be_that_is_left_out_is_refused(shop, words):
    done = CliRunner().invoke(lab.lab, ["up", "--no-shop", *words])
    assert (2, []) == (done.exit_code, shop[0])
