"""The proxy: what it delays, what it answers, whom it leads to (R1, F2)."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import test_utils

from shop.free_ports import choose
from shop.proxy.control import Control
from shop.proxy.server import Proxy
from shop.proxy.toxics import BadToxic, Piece, Toxic, Toxics

_LATENCY = {"name": "t", "type": "latency", "attributes": {"latency": 50, "jitter": 10}}


def test_a_toxic_reads_toxiproxys_json_and_gives_it_back():
    body = {**_LATENCY, "stream": "upstream", "toxicity": 0.5}
    assert body == Toxic.parse(body).as_json()


def _toxic(kind, **attributes):
    return Toxic.parse({"name": "t", "type": kind, "attributes": attributes})


def test_a_toxic_hits_answers_and_all_connections_unless_it_says_otherwise():
    attributes = {"latency": 7.0, "jitter": 0}
    toxic = Toxic("latency_downstream", "latency", "downstream", 1.0, attributes)
    assert toxic == Toxic.parse({"type": "latency", "attributes": {"latency": 7}})


@pytest.mark.parametrize(("body", "said"), [
    pytest.param([], "object", id="not-an-object"),
    pytest.param({"type": "slicer"}, "known: latency, bandwidth", id="unknown-type"),
    pytest.param({"type": "bandwidth", "attributes": {"rate": 0}}, "nothing", id="no-rate"),
    pytest.param({"type": "refuse", "attributes": {"x": 1}}, "no 'x'", id="unknown-attribute"),
    pytest.param({"type": "loss", "attributes": {"probability": 2}}, "0..1", id="too-likely"),
    pytest.param({"type": "latency", "toxicity": "all"}, "toxicity", id="toxicity-no-number"),
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
    toxic = _toxic("latency", latency=10, jitter=20)
    assert [0.0, 0.01, 0.03] == [toxic.seconds(Piece(b"x", 0.0, luck)) for luck in (-1, 0, 1)]


@pytest.mark.parametrize(("fate", "opens", "seconds"), [
    pytest.param(0.5, False, 0.0, id="not-lost"),
    pytest.param(0.09, False, 0.2, id="lost-once"),
    pytest.param(0.009, False, 0.6, id="lost-twice"),
    pytest.param(1e-30, False, 12.6, id="lost-no-more-than-six-times"),
    pytest.param(0.09, True, 1.0, id="an-opening-waits-a-second"),
    pytest.param(0.009, True, 3.0, id="an-opening-lost-twice"),
])
def test_a_lost_piece_waits_for_tcps_retransmissions(fate, opens, seconds):
    """F5: 1 s for a connection's opening, 0.2 s for data, doubled each time (RFC 6298)."""
    piece = Piece(b"x", 0.0, fate=fate, opens=opens)
    assert seconds == pytest.approx(_toxic("loss", probability=0.1).seconds(piece))


def test_what_is_surely_lost_waits_longest():
    assert 12.6 == _toxic("loss", probability=1).seconds(Piece(b"x", 0.0, fate=0.5))


def test_only_the_last_of_a_connection_is_slow_to_close():
    toxic = _toxic("slow_close", delay=300)
    assert [0.0, 0.3] == [toxic.seconds(Piece(b"", 0.0, ends=ends)) for ends in (False, True)]


def test_toxicity_is_the_share_of_connections_that_are_hit():
    toxics = Toxics()
    toxics.active["t"] = Toxic("t", "latency", "downstream", 0.25, {"latency": 10, "jitter": 0})
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
    listen = ("127.0.0.1", choose(["listen"])["listen"])
    proxy = Proxy("database", listen, upstream.sockets[0].getsockname())
    await proxy.start()
    reader, writer = await asyncio.open_connection(*proxy.listen)
    server = test_utils.TestServer(Control({"database": proxy}).app())
    async with test_utils.TestClient(server) as api:
        yield proxy, reader, writer, api
    writer.transport.abort()
    proxy.close()
    upstream.close()
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
            await api.post("/proxies/database/toxics", json=_latency(100))
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


def _asked(limit=5.0, **toxic):
    """What a client of the proxy gets for an HTTP request, and how its connection ends."""
    async def run():
        async with _proxied() as (proxy, _reader, _writer, api):
            answer = await api.post("/proxies/database/toxics", json={"name": "t", **toxic})
            assert 200 == answer.status
            try:
                reader, writer = await asyncio.open_connection(*proxy.listen)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                return await asyncio.wait_for(reader.read(15), limit)
            except (OSError, TimeoutError) as error:
                return type(error)
            finally:
                await api.delete("/proxies/database/toxics/t")

    return asyncio.run(run())


@pytest.mark.parametrize(("toxic", "seen"), [
    pytest.param({"type": "timeout"}, TimeoutError, id="nothing-comes-back"),
    pytest.param({"type": "timeout", "stream": "upstream"}, TimeoutError, id="nothing-goes-out"),
    pytest.param({"type": "timeout", "attributes": {"timeout": 50}}, b"", id="closed-after-a-time"),
    pytest.param({"type": "reset_peer"}, ConnectionResetError, id="reset"),
    pytest.param({"type": "refuse"}, ConnectionRefusedError, id="refused"),
    pytest.param({"type": "answer"}, b"HTTP/1.1 503 Se", id="answered-in-its-place"),
    pytest.param({"type": "answer", "attributes": {"status": 429}}, b"HTTP/1.1 429 To", id="429"),
    pytest.param({"type": "answer", "attributes": {"probability": 0}}, b"GET / HTTP/1.1\r",
                 id="not-this-one"),
])
def test_what_a_client_sees_of_a_toxic(toxic, seen):
    assert seen == _asked(0.2 if seen is TimeoutError else 5.0, **toxic)


def test_a_toxic_that_refuses_ends_what_is_open_and_the_port_is_back_after_it():
    async def run():
        async with _proxied() as (proxy, reader, writer, api):
            await _round_trip(reader, writer)
            for name in "tu":
                await api.post("/proxies/database/toxics", json={"name": name, "type": "refuse"})
            over = await _is_over(reader)
            await api.delete("/proxies/database/toxics/t")
            with pytest.raises(ConnectionRefusedError):  # the other one still refuses
                await asyncio.open_connection(*proxy.listen)
            await api.delete("/proxies/database/toxics/u")
            again = await asyncio.open_connection(*proxy.listen)
            await _round_trip(*again)
            again[1].transport.abort()
            return over

    assert asyncio.run(run())


def test_the_next_request_on_an_open_connection_is_answered_too():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            await _round_trip(reader, writer)
            await api.post("/proxies/database/toxics", json={"name": "t", "type": "answer"})
            writer.write(b"next")
            return await asyncio.wait_for(reader.read(), 5)

    assert asyncio.run(run()).startswith(b"HTTP/1.1 503 ")


def test_a_partition_lets_nothing_through_until_it_heals_and_loses_nothing():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            for stream in ("upstream", "downstream"):
                toxic = {"name": stream, "type": "timeout", "stream": stream}
                await api.post("/proxies/database/toxics", json=toxic)
            writer.write(b"kept")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            for stream in ("upstream", "downstream"):
                await api.delete(f"/proxies/database/toxics/{stream}")
            return await asyncio.wait_for(reader.readexactly(4), 5)

    assert b"kept" == asyncio.run(run())


def test_a_narrow_path_carries_everything_at_its_rate_and_in_order():
    data = bytes(range(256)) * 40

    async def run():
        async with _proxied() as (_, reader, writer, api):
            toxic = {"name": "t", "type": "bandwidth", "attributes": {"rate": 20}}
            await api.post("/proxies/database/toxics", json=toxic)
            began = asyncio.get_running_loop().time()
            writer.write(data)
            same = data == await reader.readexactly(len(data))
            return same, asyncio.get_running_loop().time() - began

    same, seconds = asyncio.run(run())
    assert same
    assert 0.4 < seconds  # 10 kB at 20 kB/s; the first slice waits too


def test_a_client_that_only_reads_on_gets_everything_before_the_end():
    """Whoever has closed its half still gets all that the upstream sends."""
    async def run():
        async with _proxied() as (_, reader, writer, _api):
            writer.write(b"x" * 3_000_000)
            writer.write_eof()
            return len(await asyncio.wait_for(reader.read(), 10))

    assert 3_000_000 == asyncio.run(run())


def test_a_slow_close_holds_back_the_end_only():
    async def run():
        async with _proxied() as (_, reader, writer, api):
            toxic = {"name": "t", "type": "slow_close", "attributes": {"delay": 60_000}}
            await api.post("/proxies/database/toxics", json=toxic)
            await _round_trip(reader, writer)
            writer.write_eof()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            await api.delete("/proxies/database/toxics/t")
            return await asyncio.wait_for(reader.read(1), 5)

    assert b"" == asyncio.run(run())
