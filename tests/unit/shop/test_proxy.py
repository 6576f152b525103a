"""The proxy: what it delays, what it answers, whom it leads to (R1, F2)."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import test_utils

from shop.proxy.control import Control
from shop.proxy.server import Proxy
from shop.proxy.toxics import BadToxic, Toxic, Toxics

_LATENCY = {"name": "t", "type": "latency", "attributes": {"latency": 50, "jitter": 10}}


def test_a_toxic_reads_toxiproxys_json_and_gives_it_back():
    body = {**_LATENCY, "stream": "upstream", "toxicity": 0.5}
    assert body == Toxic.parse(body).as_json()


def test_a_toxic_hits_answers_and_all_connections_unless_it_says_otherwise():
    assert Toxic("latency_downstream", "downstream", 1.0, 7.0, 0.0) == Toxic.parse(
        {"type": "latency", "attributes": {"latency": 7}}
    )


@pytest.mark.parametrize(("body", "said"), [
    pytest.param([], "object", id="not-an-object"),
    pytest.param({"type": "timeout"}, "known: latency", id="unknown-type"),
    pytest.param({"type": "latency", "stream": "sideways"}, "sideways", id="unknown-stream"),
    pytest.param({"type": "latency", "attributes": {"latency": "much"}}, "number", id="no-number"),
    pytest.param({"type": "latency", "attributes": {"latency": -1}}, "negative", id="negative"),
    pytest.param({"type": "latency", "toxicity": 1.1}, "0..1", id="toxicity-too-high"),
    pytest.param({"type": "latency", "attributes": [1]}, "number", id="attributes-a-list"),
])
def test_a_bad_toxic_is_refused_with_its_reason(body, said):
    with pytest.raises(BadToxic, match=said):
        Toxic.parse(body)


def test_jitter_moves_the_delay_both_ways_but_never_below_nothing():
    toxic = Toxic("t", "downstream", 1.0, 10.0, 20.0)
    assert [0.0, 0.01, 0.03] == [toxic.seconds(luck) for luck in (-1, 0, 1)]


def test_toxicity_is_the_share_of_connections_that_are_hit():
    toxics = Toxics()
    toxics.active["t"] = Toxic("t", "downstream", 0.25, 10.0, 0.0)
    hit = [bool(toxics.hitting("downstream", lot / 100)) for lot in range(100)]
    assert 25 == sum(hit)
    assert [] == toxics.hitting("upstream", 0.0)


@asynccontextmanager
async def _proxied():
    """An echo server behind a proxy, a connection through it, and the control API."""
    async def echo(reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.transport.abort()

    upstream = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy("database", ("127.0.0.1", 0), upstream.sockets[0].getsockname())
    listening = await proxy.start()
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    server = test_utils.TestServer(Control({"database": proxy}).app())
    async with test_utils.TestClient(server) as api:
        yield proxy, reader, writer, api
    writer.transport.abort()
    proxy.cut()
    for server in (listening, upstream):
        server.close()
    while asyncio.all_tasks() != {asyncio.current_task()}:
        await asyncio.sleep(0)
    await asyncio.sleep(0)  # the transports tell their protocols in one more round


def _latency(milliseconds):
    return _LATENCY | {"attributes": {"latency": milliseconds}}


async def _round_trip(reader, writer):
    began = asyncio.get_running_loop().time()
    writer.write(b"x" * 10)
    assert b"x" * 10 == await reader.readexactly(10)
    return asyncio.get_running_loop().time() - began


def test_a_toxic_delays_from_its_first_to_its_last_moment():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            before = await _round_trip(reader, writer)
            await api.post("/proxies/database/toxics", json=_latency(80))
            during = await _round_trip(reader, writer)
            await api.delete("/proxies/database/toxics/t")
            return before, during, await _round_trip(reader, writer)

    before, during, after = asyncio.run(run())
    assert before < 0.05
    assert 0.08 <= during < 0.2
    assert after < 0.05


def test_data_held_back_go_on_at_once_when_the_toxic_goes():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            await api.post("/proxies/database/toxics", json=_latency(60_000))
            waiting = asyncio.create_task(_round_trip(reader, writer))
            await asyncio.sleep(0.05)
            await api.delete("/proxies/database/toxics/t")
            return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(run()) < 1


def test_the_metrics_count_delayed_bytes_and_remember_a_toxic_that_is_gone():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            await api.post("/proxies/database/toxics", json=_latency(1))
            await _round_trip(reader, writer)
            during = await (await api.get("/metrics")).text()
            await api.delete("/proxies/database/toxics/t")
            await _round_trip(reader, writer)
            return during, await (await api.get("/metrics")).text()

    during, after = asyncio.run(run())
    assert 'shop_proxy_toxic_active{toxic="t"} 1' in during
    assert 'shop_proxy_toxic_active{toxic="t"} 0' in after
    assert 'shop_proxy_delayed_bytes_total{toxic="t"} 10' in after


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    pytest.param("GET", "/proxies/none", None, 404, id="unknown-proxy"),
    pytest.param("GET", "/proxies/database/toxics/none", None, 404, id="unknown-toxic"),
    pytest.param("DELETE", "/proxies/database/toxics/none", None, 404, id="remove-unknown-toxic"),
    pytest.param("POST", "/proxies/database/toxics", "nonsense", 400, id="not-json"),
    pytest.param("POST", "/proxies/database/toxics", "[]", 400, id="not-an-object"),
    pytest.param("POST", "/proxies/database", '{"upstream": "nowhere"}', 400, id="no-port"),
    pytest.param("GET", "/version", None, 200, id="version"),
    pytest.param("GET", "/proxies/database/toxics", None, 200, id="toxics"),
])
def test_the_control_api_answers_with_the_right_code(method, path, body, status):
    async def run():
        async with _proxied() as (_, _reader, _writer, api):
            return (await api.request(method, path, data=body)).status

    assert status == asyncio.run(run())


def test_a_second_toxic_of_the_same_name_is_a_conflict():
    async def run():
        async with _proxied() as (_, _reader, _writer, api):
            answers = [await api.post("/proxies/database/toxics", json=_LATENCY) for _ in range(2)]
            return [answer.status for answer in answers]

    assert [200, 409] == asyncio.run(run())


def test_a_new_upstream_ends_the_connections_to_the_old_one():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            await _round_trip(reader, writer)
            answer = await api.post("/proxies/database", json={"upstream": "127.0.0.1:1"})
            return (await answer.json())["upstream"], await _is_over(reader)

    assert ("127.0.0.1:1", True) == asyncio.run(run())


def test_a_disabled_proxy_ends_what_it_has():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            await _round_trip(reader, writer)
            await api.post("/proxies/database", json={"enabled": False})
            return await _is_over(reader)

    assert asyncio.run(run())


async def _is_over(reader):
    try:
        return b"" == await asyncio.wait_for(reader.read(1), 5)
    except ConnectionError:
        return True
