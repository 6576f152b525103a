"""Mechanisms that can be left out, and what is really different then (R2)."""

import asyncio

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from shop.__main__ import USAGE, main
from shop.api import trusting
from shop.api.trusting import TrustingPool
from shop.errors import ShopError
from shop.front import configuration
from shop.mechanisms import MECHANISMS, checked
from shop.parts import PORTS
from shop.places import Places
from shop.settled import Settled


def test_an_unknown_mechanism_names_the_nearest():
    with pytest.raises(ShopError, match=r"'braker'; did you mean 'breaker'\? known: breaker, "):
        checked(["retry", "braker"])


def test_one_that_is_like_nothing_gets_the_list():
    with pytest.raises(ShopError, match="unknown mechanism 'x'; known: breaker, timeout"):
        checked(["x"])


def test_the_command_says_it_once_and_starts_nothing(tmp_path, capsys):
    assert USAGE == main(["up", "--home", str(tmp_path), "--without", "braker"])
    told = capsys.readouterr()
    assert 1 == len(told.err.splitlines())
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("--without", "retry"), ("--small-disk",), ("--synchronous",)])
def test_how_it_starts_belongs_to_up(capsys, words):
    with pytest.raises(SystemExit, match="2"):
        main(["status", *words])
    assert "--small-disk and --synchronous belong to up" in capsys.readouterr().err


@pytest.mark.parametrize(("without", "looks"), [((), True), (("health-check",), False)])
def test_without_health_checks_haproxy_never_looks_at_a_server(tmp_path, without, looks):
    ports = {name: 1000 + n for n, name in enumerate(PORTS)}
    shop = Settled(Places(tmp_path), ports, "secret", frozenset(without))
    assert looks is ("check inter" in configuration(shop))


def test_a_shop_has_what_it_was_not_started_without(tmp_path):
    shop = Settled(Places(tmp_path), {}, "secret", frozenset({"retry"}))
    assert set(MECHANISMS) - {"retry"} == {name for name in MECHANISMS if shop.has(name)}


class Connection:
    def __init__(self):
        self.closed = False

    async def close(self):
        self.closed = True


@pytest.fixture
def made(monkeypatch):
    connections = []

    async def connect(_conninfo, **_kwargs):
        connections.append(Connection())
        return connections[-1]

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
    return connections


async def _opened(size=1):
    async def count(_connection):
        pass

    pool = TrustingPool("", {}, count, size, 0.01)
    await pool.open(wait=True)
    return pool


def test_a_trusting_pool_hands_a_lost_connection_out_again(made):
    async def run():
        pool = await _opened()
        lost = await pool.getconn()
        await lost.close()
        await pool.putconn(lost)
        assert lost is await pool.getconn()

    asyncio.run(run())
    assert 1 == len(made)


def test_a_trusting_pool_replaces_what_is_old(made, monkeypatch):
    monkeypatch.setattr(trusting, "_LIFE_SECONDS", (0.0, 0.0))

    async def run():
        pool = await _opened()
        old = await pool.getconn()
        await pool.putconn(old)
        while len(made) < 2:
            await asyncio.sleep(0)
        assert old.closed
        assert made[1] is await pool.getconn()

    asyncio.run(run())


def test_a_trusting_pool_keeps_nobody_waiting_for_ever(made):
    async def run():
        pool = await _opened()
        await pool.getconn()
        with pytest.raises(PoolTimeout):
            await pool.getconn()
        assert {"pool_size": 1, "requests_waiting": 0} == pool.get_stats()
        await pool.close()

    asyncio.run(run())


def test_a_trusting_pool_connects_again_until_it_can(monkeypatch, made):
    monkeypatch.setattr(trusting, "_AGAIN_SECONDS", 0.0)
    good, refusals = psycopg.AsyncConnection.connect, [1, 2]

    async def refuse(conninfo, **kwargs):
        if refusals:
            refusals.pop()
            raise psycopg.OperationalError("refused")
        return await good(conninfo, **kwargs)

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", refuse)
    asyncio.run(_opened())
    assert 1 == len(made)
