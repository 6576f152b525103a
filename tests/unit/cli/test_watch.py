"""The command `watch`: what it refuses before it looks at anything, and how it ends."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from typer.testing import CliRunner

from holdfast.cli.watch import watcher
from holdfast.clients.connections import write_connection

SUITE = """\
apiVersion: holdfast/v1
kind: Suite
metadata: {name: mine, owner: me}
target: {environment: here, services: {api: {http: api}}}
objectives: [{name: errors, indicator: {prometheus: errors}, objective: "< 1%"}]
guard: {poll: 100ms, lease: 2s}
rounds:
  - experiments:
      - name: nothing
        hypothesis: Nothing happens.
        fault: {type: noop, target: api, duration: 1s}
"""


@pytest.fixture
def suite(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    file = tmp_path / "mine.suite.yaml"
    file.write_text(SUITE)
    return str(file)


@pytest.fixture
def prometheus():
    """A Prometheus that answers whatever it is asked with `answers`, the last one for ever."""
    answers = [0.0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            value = answers.pop(0) if len(answers) > 1 else answers[0]
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
                {"metric": {}, "value": [1767225600, str(value)]}]}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def run(*words: str):
    return CliRunner().invoke(watcher, list(words))


def test_a_calm_target_ends_with_0_and_tells_the_margin(suite, prometheus):
    done = run(suite, "--for", "700ms", "--prometheus", prometheus[0])
    assert 0 == done.exit_code, done.output
    assert "nothing: " in done.stdout
    assert "renewals, lease margin 1." in done.stdout


def test_a_breach_ends_with_4_and_says_what_it_was(suite, prometheus):
    prometheus[1][:] = [0.0, 0.0, 0.5, 0.0]
    done = run(suite, "--for", "2s", "--prometheus", prometheus[0])
    assert 4 == done.exit_code
    assert "nothing: the fault would have been ended: errors was 50%" in done.stdout


def test_a_target_that_is_not_seen_to_hold_ends_with_1(suite):
    done = run(suite, "--for", "300ms", "--prometheus", "http://127.0.0.1:9")
    assert (1, True) == (done.exit_code, "no fault could have begun" in done.output)


def test_an_http_indicator_needs_no_prometheus(suite, prometheus, tmp_path):
    """S4."""
    host, port = prometheus[0].removeprefix("http://").split(":")
    write_connection(home(tmp_path) / "connections.json", "shop", {"host": host, "port": int(port)})
    file = tmp_path / "mine.suite.yaml"
    file.write_text(SUITE.replace("{prometheus: errors}", "{http: shop}").replace("< 1%", ">= 1"))
    done = run(suite, "--for", "700ms")
    assert 0 == done.exit_code, done.output
    assert "renewals, lease margin 1." in done.stdout


def home(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700, exist_ok=True)
    return tmp_path / "home"


@pytest.mark.parametrize(("indicator", "said"), [
    ("{sql: db, query: SELECT 1}", "unknown connection 'db'"),
    ("{command: [depth]}", "'depth' is no command that this deployment allows"),
])
def test_a_source_that_is_not_known_is_said_before_anything_is_watched(
    suite, tmp_path, indicator, said
):
    write_connection(home(tmp_path) / "connections.json", "shop", {"host": "127.0.0.1"})
    (tmp_path / "mine.suite.yaml").write_text(SUITE.replace("{prometheus: errors}", indicator))
    done = run(suite)
    assert 2 == done.exit_code
    assert said in done.stderr


def test_the_summary_as_json_is_all_that_is_printed(suite, prometheus):
    done = run(suite, "--for", "500ms", "--prometheus", prometheus[0], "--json")
    assert ["nothing"] == [one["experiment"] for one in json.loads(done.stdout)]


@pytest.mark.parametrize(("words", "said"), [
    (("--only", "nothin"), "unknown experiment 'nothin'"),
    (("--for", "soon"), "a duration is a number"),
    (("--for", "0s"), "no time is too short"),
    (("--prometheus", "localhost:9090"), "'localhost:9090' is no address"),
    (("--prometheus", "http://me:secret@there"), "'there' is no address"),
    ((), "there is no connections file"),
])
def test_what_cannot_be_watched_is_said_in_one_sentence(suite, words, said):
    done = run(suite, *words)
    assert 2 == done.exit_code
    assert said in done.stderr
    assert "secret" not in done.output
