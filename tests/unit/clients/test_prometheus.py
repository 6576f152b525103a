"""One number from Prometheus, or why there is none; over a real socket (S4)."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

from holdfast.clients.prometheus import PrometheusMetrics
from holdfast.errors import CheckError
from support.ports import START, FakeClock


class Server(HTTPServer):
    """Answers every question with `answer`; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: tuple[int, object] = (200, None)
        self.asked: list[dict[str, list[str]]] = []
        self.authorized = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def says(self, kind: str, result: object) -> None:
        self.answer = (200, {"status": "success", "data": {"resultType": kind, "result": result}})


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(parse_qs(urlparse(self.path).query))
        self.server.authorized = self.headers.get("Authorization", "")
        status, body = self.server.answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def series(*values: str) -> list[object]:
    return [{"metric": {"n": str(i)}, "value": [1700000000.5, v]} for i, v in enumerate(values)]


def now(server: Server):
    return PrometheusMetrics(server.url, clock=FakeClock()).now("up")


@pytest.mark.parametrize(("kind", "result", "value"), [
    pytest.param("vector", series("0.25"), 0.25, id="one-series"),
    pytest.param("scalar", [1700000000.5, "3"], 3.0, id="a-scalar"),
    pytest.param("vector", series("+Inf"), float("inf"), id="beyond-all-bounds-is-a-value"),
])
def test_one_number_is_a_value_with_its_own_date(server, kind, result, value):
    server.says(kind, result)
    sample = now(server)
    assert (value, 1700000000.5) == (sample.value, sample.at)
    assert [["up"]] == [asked["query"] for asked in server.asked]


@pytest.mark.parametrize(("kind", "result", "why"), [
    pytest.param("vector", [], "no series instead of one", id="none"),
    pytest.param("vector", series("1", "2"), "2 series instead of one", id="several"),
    pytest.param("vector", series("NaN"), "the value is not a number", id="nan"),
    pytest.param("matrix", [{"metric": {}, "values": [[1, "1"]]}],
                 "the query gives a range, not one number", id="range"),
    pytest.param("vector", [{"metric": {}}], "the answer is not one of Prometheus's API", id="odd"),
    pytest.param("scalar", [1, "many"], "the answer is not one of Prometheus's API", id="words"),
])
def test_anything_else_is_no_data_and_says_why(server, kind, result, why):
    server.says(kind, result)
    assert (None, why) == (now(server).value, now(server).why)


def test_a_query_that_is_refused_is_no_data_and_quotes_the_refusal(server):
    server.answer = (400, {"status": "error", "error": "parse error: unclosed brace" + "x" * 300})
    sample = now(server)
    assert sample.value is None
    assert sample.why.startswith("Prometheus refused: parse error: unclosed brace")
    assert len(sample.why) < 250


def test_a_refusal_in_other_words_is_quoted_whole(server):
    server.answer = (502, b"bad gateway")
    assert "Prometheus refused: HTTP Status Code 502 (b'bad gateway')" == now(server).why


def test_an_answer_that_is_no_json_is_no_data(server):
    server.answer = (200, b"<html>")
    assert now(server).value is None


@pytest.mark.parametrize("body", [[], {"status": "success"}, "text"])
def test_an_answer_of_another_api_is_no_data(server, body):
    server.answer = (200, body)
    assert now(server).value is None


def test_what_is_too_old_is_asked_for_in_the_query_and_by_its_parameter(server):
    server.says("vector", series("0.25"))
    assert 0.25 == PrometheusMetrics(server.url, clock=FakeClock()).now("up", 3.0).value
    (asked,) = server.asked
    assert (["up and (timestamp(up) >= time() - 3)"], ["3"]) == (
        asked["query"], asked["lookback_delta"])


def test_no_fresh_sample_is_asked_for_its_age(server):
    server.says("vector", [])
    sample = PrometheusMetrics(server.url, clock=FakeClock()).now("up", 3.0)
    assert "no series instead of one" == sample.why
    assert ["time() - timestamp(up)"] == server.asked[-1]["query"]


def test_a_prometheus_that_is_down_is_no_data_at_once_and_not_asked_again():
    with HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    began = time.monotonic()
    sample = PrometheusMetrics(f"http://127.0.0.1:{port}", clock=FakeClock()).now("up")
    assert "Prometheus could not be asked: no connection" == sample.why
    assert START.timestamp() == sample.at
    assert time.monotonic() - began < 2


def test_a_prometheus_that_hangs_is_no_data_in_time(monkeypatch):
    monkeypatch.setattr("holdfast.clients.prometheus.NOW_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        sample = PrometheusMetrics(url, clock=FakeClock()).now("up")
    assert "Prometheus could not be asked: no answer in time" == sample.why


def test_a_broken_answer_of_a_gateway_is_not_asked_for_again(server):
    server.answer = (503, b"busy")
    assert now(server).value is None
    assert 1 == len(server.asked)


def test_it_logs_in_where_the_connection_says_so(server):
    server.says("scalar", [1, "1"])
    PrometheusMetrics(server.url + "/", "ada", "secret").now("up")
    assert server.authorized.startswith("Basic ")


def test_a_range_gives_its_numbers_and_leaves_out_what_is_none(server):
    values = [[1, "0.5"], [2, "NaN"], [3, "+Inf"], [4, "1"]]
    server.says("matrix", [{"metric": {}, "values": values}])
    pairs = PrometheusMetrics(server.url).between("up", 0.0, 5.0, 0.5)
    assert [(1.0, 0.5), (4.0, 1.0)] == pairs
    assert (["0"], ["5"], ["0.5"]) == tuple(server.asked[0][k] for k in ("start", "end", "step"))


@pytest.mark.parametrize("result", [[], [{"values": []}, {"values": []}]])
def test_a_range_of_no_or_several_series_is_empty(server, result):
    server.says("matrix", result)
    assert [] == PrometheusMetrics(server.url).between("up", 0, 5, 1)


def test_every_series_of_a_range_is_given_by_itself(server):
    server.says("matrix", [{"values": [[1, "1"], [2, "NaN"]]}, {"values": [[1, "5"]]}])
    found = PrometheusMetrics(server.url).each_between("up", 0, 5, 1)
    assert [[(1.0, 1.0)], [(1.0, 5.0)]] == found


@pytest.mark.parametrize(("answer", "why"), [
    ((400, b"no"), "Prometheus refused"), ((200, b"<html>"), "could not be asked"),
    ((200, []), "not one of Prometheus's API"),
])
def test_a_range_that_cannot_be_had_is_a_check_error(server, answer, why):
    server.answer = answer
    with pytest.raises(CheckError, match=why):
        PrometheusMetrics(server.url).between("up", 0, 5, 1)
