"""An HTTP end point as an indicator: success, latency, a number in its answer (S4)."""

import asyncio
from math import inf

import pytest
from aiohttp import web

from holdfast.clients import http_probe as module
from holdfast.clients.connections import Connection
from holdfast.clients.http_probe import MOST_BYTES, HttpTalker, number_at
from holdfast.clock import SystemClock
from holdfast.model.indicator import Indicator


class Shop:
    """Answers with `status` and `body` after `seconds`; remembers what it was asked."""

    def __init__(self, status=200, body=b"{}", seconds=0.0):
        self.status, self.body, self.seconds, self.asked = status, body, seconds, []

    async def handle(self, request):
        self.asked.append((request.method, request.path_qs, request.headers.get("Authorization")))
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status, body=self.body, headers={"Location": "/there"})

    async def __aenter__(self):
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self.handle)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return self.runner.addresses[0][1]

    async def __aexit__(self, *_):
        await self.runner.cleanup()


def ask(shop, login="", **words):
    async def go():
        async with shop as port:
            at = Connection("shop_http", "http", "127.0.0.1", port, login, "secret")
            talker = HttpTalker(at, SystemClock())
            found = await talker.ask(Indicator(http="shop_http", **words))
            await talker.close()
            return found
    return asyncio.run(go())


@pytest.mark.parametrize(("status", "words", "value", "why"), [
    (200, {}, 1.0, ""), (204, {"status": 204}, 1.0, ""),
    (503, {}, 0.0, "GET / at shop_http: status 503 instead of 200"),
    (302, {}, 0.0, "GET / at shop_http: status 302 instead of 200"),
])
def test_success_is_1_and_a_wrong_status_0(status, words, value, why):
    found = ask(Shop(status), **words)
    assert (value, why) == (found.value, found.why)


def test_a_path_is_asked_by_get_with_the_connections_login():
    shop = Shop()
    ask(shop, login="ann", path="/ready?deep=1")
    assert [("GET", "/ready?deep=1", "Basic YW5uOnNlY3JldA==")] == shop.asked


def test_latency_is_the_seconds_until_the_whole_answer_is_there():
    assert 0.1 <= ask(Shop(seconds=0.1), measure="latency").value < 1.5


def test_the_latency_of_a_wrong_answer_is_no_data():
    found = ask(Shop(500), measure="latency")
    assert (None, "GET / at shop_http: status 500 instead of 200") == (found.value, found.why)


def test_what_does_not_answer_in_time_has_failed_and_took_for_ever(monkeypatch):
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.1)
    late = Shop(seconds=0.5)
    assert (inf, 0.0, None) == tuple(
        ask(late, **words).value for words in ({"measure": "latency"}, {}, {"field": "a"}))


def test_what_cannot_be_reached_has_failed_and_has_no_latency():
    async def go(**words):
        talker = HttpTalker(Connection("x", "http", "127.0.0.1", 9), SystemClock())
        found = await talker.ask(Indicator(http="x", **words))
        await talker.close()
        return found.value
    assert (0.0, None) == (asyncio.run(go()), asyncio.run(go(measure="latency")))


def test_a_number_is_read_from_the_answer():
    assert 7.0 == ask(Shop(body=b'{"queue": {"depth": 7}}'), field="queue.depth").value


@pytest.mark.parametrize("field", ["a." + "9" * 5000, "a.²"])
def test_an_index_beyond_all_lists_is_not_there(field):
    assert (None, f"the answer has no '{field}'") == number_at(b'{"a": [1]}', field)


def test_no_more_is_read_than_is_allowed():
    found = ask(Shop(body=b"x" * (MOST_BYTES + 1)), field="a")
    assert f"GET / at shop_http: more than {MOST_BYTES} bytes" == found.why


@pytest.mark.parametrize(("body", "value", "why"), [
    (b'{"a": [1, 2.5]}', 2.5, ""), (b'{"a": [0, true]}', 1.0, ""),
    (b"<html>", None, "the answer is not JSON"),
    (b"[" * 100_000, None, "the answer is not JSON"),
    (b'{"b": 1}', None, "the answer has no 'a.1'"),
    (b'{"a": [1]}', None, "the answer has no 'a.1'"),
    (b'{"a": [1, "2"]}', None, "'a.1' is no number"), (b'{"a": "xy"}', None, "'a.1' is no number"),
    (b'{"a": [1, NaN]}', None, "'a.1' is not a number"),
    (b'{"a": [1, 1' + b"0" * 400 + b"]}", None, "'a.1' is too large"),
])
def test_anything_but_a_number_is_no_data_and_says_why(body, value, why):
    assert (value, why) == number_at(body, "a.1")
