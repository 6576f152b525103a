import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.probes.app_recovered import PROBE

SERVICES = {"database": {"postgres": "shop_db"}, "front": {"http": "shop_http"}}


class App(ThreadingHTTPServer):
    answers: dict[str, int]


class Handler(BaseHTTPRequestHandler):
    server: App

    def do_GET(self) -> None:
        self.send_response(self.server.answers.get(self.path, 404))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = App(("127.0.0.1", 0), Handler)
    app.answers = {"/ready": 200, "/products": 200}
    thread = threading.Thread(target=app.serve_forever, args=(0.02,))
    thread.start()
    write(tmp_path, app.server_port)
    yield app
    app.shutdown()
    app.server_close()
    thread.join()


def write(home: Path, port: int) -> None:
    file = home / "connections.json"
    entry = {"conn_type": "http", "host": "127.0.0.1", "port": port}
    file.write_text(json.dumps({"shop_http": entry}))
    file.chmod(0o600)


def observed(home: Path, services: dict[str, dict[str, str]] = SERVICES) -> Finding:
    fault = Fault("noop", "front", {}, str(home), timedelta(1))
    return PROBE.observe(services, str(home), fault, Recipe("L1", "noop", {}))


def test_an_app_that_answers_has_recovered(app: App, tmp_path: Path) -> None:
    finding = observed(tmp_path)
    assert (finding.name, finding.verdict) == ("app_recovered", Verdict.HELD)
    assert finding.measured["requests"] == 8


@pytest.mark.parametrize("path", ["/ready", "/products"])
def test_an_app_that_refuses_has_not(path: str, app: App, tmp_path: Path) -> None:
    app.answers[path] = 503
    finding = observed(tmp_path)
    assert finding.verdict is Verdict.BROKEN
    assert f"GET {path} gave 503" in finding.text


def test_an_app_that_is_not_there_has_not(tmp_path: Path) -> None:
    write(tmp_path, 9)
    assert observed(tmp_path).verdict is Verdict.BROKEN


@pytest.mark.parametrize("services", [{}, {"front": {"http": "elsewhere"}}])
def test_without_an_app_to_ask_nothing_is_known(
    services: dict[str, dict[str, str]], app: App, tmp_path: Path
) -> None:
    assert observed(tmp_path, services).verdict is Verdict.UNKNOWN
