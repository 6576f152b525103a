"""S5: the services of the target, seen from where faults hit them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from holdfast.model.suite import Selector
from holdfast.steps.services import Health, look_at


def one(home, **address):
    return look_at(home, {"api": Selector(**address)})


def connected(home, name, port, **extra):
    file = home / "connections.json"
    file.write_text(json.dumps({name: {"host": "127.0.0.1", "port": port, "extra": extra}}))
    file.chmod(0o600)


@contextmanager
def process(home):
    """A process with a pid file."""
    held = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (home / "api-1.pid").write_text(f"{held.pid}\n")
    try:
        yield held
    finally:
        held.kill()
        held.wait()
        held.stdin.close()


@contextmanager
def web(status):
    """A server that answers everything so."""
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def silent():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_process_runs_hangs_and_is_gone(tmp_path):
    with process(tmp_path) as held:
        assert [Health.UP] == [s.health for s in one(tmp_path, process="*.pid")]
        os.kill(held.pid, signal.SIGSTOP)
        os.waitpid(held.pid, os.WUNTRACED)
        assert [Health.HANGS] == [s.health for s in one(tmp_path, process="*.pid")]
    assert [Health.DOWN] == [s.health for s in one(tmp_path, process="*.pid")]


@pytest.mark.parametrize("text", ["", "not a pid", "²", "9" * 5000, b"\xff"])
def test_a_pid_file_that_says_nothing_is_no_process(tmp_path, text):
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "api-1.pid").write_bytes(content)
    assert [("api-1", Health.DOWN)] == [(s.part, s.health) for s in one(tmp_path, process="*.pid")]


def test_no_pid_file_is_no_process(tmp_path):
    assert ["no pid file"] == [s.text for s in one(tmp_path, process="*.pid")]


@pytest.mark.parametrize(("status", "health"), [
    (200, Health.UP), (404, Health.UP), (503, Health.DOWN),
])
def test_a_page_that_answers_is_up_unless_it_says_otherwise(tmp_path, status, health):
    with web(status) as port:
        connected(tmp_path, "shop", port, ready="/health")
        seen, = one(tmp_path, http="shop")
    assert (health, f"GET /health gave {status}") == (seen.health, seen.text)


def test_a_page_that_does_not_answer_hangs(tmp_path, silent):
    connected(tmp_path, "shop", silent)
    assert [Health.HANGS] == [s.health for s in one(tmp_path, http="shop")]


@pytest.mark.parametrize("kind", ["http", "proxy", "tls", "load"])
def test_a_port_nobody_listens_on_is_down(tmp_path, kind):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        connected(tmp_path, "shop", free.getsockname()[1])
        assert [Health.DOWN] == [s.health for s in one(tmp_path, **{kind: "shop"})]


@pytest.mark.parametrize("kind", ["proxy", "tls", "load"])
def test_a_port_that_listens_is_up(tmp_path, silent, kind):
    connected(tmp_path, "shop", silent)
    assert [Health.UP] == [s.health for s in one(tmp_path, **{kind: "shop"})]


def test_a_database_that_does_not_answer_is_down(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nodes = [{"name": "pg-1", "host": "127.0.0.1", "port": free.getsockname()[1]}]
        connected(tmp_path, "shop", 0, nodes=nodes)
        seen, = one(tmp_path, postgres="shop")
    assert ("pg-1", Health.DOWN) == (seen.part, seen.health)


@pytest.mark.parametrize("kind", ["http", "postgres", "proxy"])
def test_an_address_that_is_not_known_is_said_so(tmp_path, kind):
    seen, = one(tmp_path, **{kind: "shop"})
    assert Health.UNKNOWN is seen.health
    assert "connections" in seen.text


def test_what_nobody_can_look_at_is_left_out(tmp_path):
    assert [] == one(tmp_path, environment="shop/env/api-1.env")
