"""Our talker to Prometheus, against a small server with Prometheus's answers."""

import asyncio
import time

import pytest
from aiohttp import web

from holdfast.clients import polling
from holdfast.clients import prometheus_live as module
from holdfast.clients.connections import Connection
from holdfast.clients.prometheus_live import Source, prometheus_live, sample_of, source


def vector(*values, at=1700000000.5):
    result = [{"metric": {}, "value": [at, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


class Prometheus:
    """Answers by query: JSON, a delay before it, or text that is no JSON."""

    def __init__(self, **answers):
        self.answers, self.asked, self.logins = answers, [], []

    async def handle(self, request):
        query = request.query["query"]
        self.asked.append(query)
        self.logins.append(request.headers.get("Authorization", ""))
        answer = self.answers.get(query, vector())
        if isinstance(answer, tuple):
            await asyncio.sleep(answer[0])
            answer = answer[1]
        if isinstance(answer, str):
            return web.Response(status=502, text=answer)
        return web.json_response(answer, status=400 if answer["status"] == "error" else 200)

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/api/v1/query", self.handle)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        port = self.runner.addresses[0][1]
        return f"http://127.0.0.1:{port}"

    async def __aexit__(self, *_):
        await self.runner.cleanup()


def ask(server, *queries, patience=1.0, **login):
    async def go():
        async with server as url, prometheus_live(Source(url, **login), patience) as metrics:
            return await metrics.now(queries)
    return asyncio.run(go())


def test_a_number_and_its_date_are_a_sample():
    got = ask(Prometheus(up=vector("0.25")), "up")["up"]
    assert (got.value, got.at, got.why) == (0.25, 1700000000.5, "")


@pytest.mark.parametrize(("answer", "why"), [
    pytest.param(vector(), "no series instead of one", id="no-series"),
    pytest.param(vector("1", "2"), "2 series instead of one", id="several"),
    pytest.param(vector("NaN"), "the value is not a number", id="nan"),
    pytest.param({"status": "error", "error": "parse error"},
                 "Prometheus refused: parse error", id="refused"),
    pytest.param({"status": "success", "data": {"resultType": "matrix", "result": []}},
                 "the query gives a matrix, not one number", id="matrix"),
    pytest.param({"status": "success"}, "the answer is not one of Prometheus's API", id="foreign"),
])
def test_anything_else_is_no_data_and_says_why(answer, why):
    got = ask(Prometheus(up=answer), "up")["up"]
    assert (None, why) == (got.value, got.why)


def test_a_scalar_is_a_number_too():
    body = {"status": "success", "data": {"resultType": "scalar", "result": [5.0, "7"]}}
    assert (sample_of(body, 0.0).value, sample_of(body, 0.0).at) == (7.0, 5.0)


def test_text_that_is_no_json_is_no_data():
    got = ask(Prometheus(up="<html>bad gateway"), "up")["up"]
    assert got.value is None
    assert got.why.startswith("Prometheus could not be asked")


def test_a_server_that_is_not_there_is_no_data():
    async def go():
        async with prometheus_live(Source("http://127.0.0.1:9"), 1.0) as metrics:
            return await metrics.now(["up"])
    assert "could not be asked" in asyncio.run(go())["up"].why


def test_a_slow_answer_holds_up_nobody():
    server = Prometheus(slow=(0.6, vector("1")), up=vector("2"))
    began = time.monotonic()
    got = ask(server, "slow", "up", patience=0.2)
    assert time.monotonic() - began < 0.6
    assert got["slow"].why == "Prometheus gave no answer in 0.2 s"
    assert got["up"].value == 2.0


def test_an_answer_that_was_too_slow_serves_the_next_tick():
    async def go():
        server = Prometheus(slow=(0.3, vector("1")))
        async with server as url, prometheus_live(Source(url), 0.2) as metrics:
            first = await metrics.now(["slow"])
            second = await metrics.now(["slow"])
            return first["slow"].value, second["slow"].value, len(server.asked)
    assert asyncio.run(go()) == (None, 1.0, 1)


def test_a_request_is_given_up_in_the_end(monkeypatch):
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.1)
    got = ask(Prometheus(up=(0.5, vector("1"))), "up")["up"]
    assert got.why == "Prometheus gave no answer in 0.1 s"


def test_equal_queries_of_many_guards_are_asked_once():
    async def go():
        server = Prometheus(up=(0.05, vector("1")), other=vector("2"))
        async with server as url:
            async def guard():
                async with prometheus_live(Source(url), 1.0) as metrics:
                    return await metrics.now(["up", "other"])
            await asyncio.gather(*(guard() for _ in range(20)))
            return sorted(server.asked)
    assert asyncio.run(go()) == ["other", "up"]


def test_a_guard_that_is_cancelled_takes_no_neighbour_along():
    async def go():
        async with Prometheus(up=(0.1, vector("1"))) as url, prometheus_live(Source(url), 1) as m:
            one, two = (asyncio.create_task(m.now(["up"])) for _ in range(2))
            await asyncio.sleep(0.02)
            one.cancel()
            return await two
    assert asyncio.run(go())["up"].value == 1.0


def test_the_last_guard_closes_the_session():
    async def go():
        async with Prometheus() as url:
            async with prometheus_live(Source(url), 1.0) as one:
                async with prometheus_live(Source(url), 1.0) as two:
                    assert one.poller is two.poller
                assert not one.poller.talker._session.closed
            return one.poller.talker._session.closed
    assert asyncio.run(go())
    assert polling.pollers == {}


def test_a_login_is_sent():
    server = Prometheus(up=vector("1"))
    ask(server, "up", login="ann", password="secret")
    assert server.logins == ["Basic YW5uOnNlY3JldA=="]


STALE = "up and (timestamp(up) >= time() - 3)"


def test_a_sample_that_is_too_old_is_no_data_and_says_how_old_it_is():
    server = Prometheus(**{STALE: vector(), "time() - timestamp(up)": vector("7.25")})
    got = ask(server, "up", max_age=3.0)["up"]
    assert (None, "the latest sample is 7.2 s old, 3 s allowed") == (got.value, got.why)


def test_a_series_that_is_not_there_is_not_called_old():
    assert "no series instead of one" == ask(Prometheus(), "up", max_age=3.0)["up"].why


def test_a_fresh_sample_takes_one_request():
    server = Prometheus(**{STALE: vector("1")})
    assert 1.0 == ask(server, "up", max_age=3.0)["up"].value
    assert [STALE] == server.asked


def test_no_queries_are_no_question():
    assert ask(Prometheus()) == {}


@pytest.mark.parametrize(("connection", "url"), [
    (Connection("p", "http", host="127.0.0.1", port=9090), "http://127.0.0.1:9090"),
    (Connection("p", "http", host="prom.example", schema="https"), "https://prom.example"),
    (Connection("p", "http", host="https://prom.example/", port=443), "https://prom.example:443"),
])
def test_a_connection_names_the_source(connection, url):
    assert url == source(connection).url


def test_the_password_is_never_shown():
    assert "secret" not in repr(Source("http://x", "ann", "secret"))
