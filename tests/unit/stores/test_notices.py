"""N1: people are told, once, and the log says what became of it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from holdfast.model.run import Notice
from holdfast.settings import Settings
from holdfast.stores.notices import HomeNotifier

ABORT = Notice("abort", "s--1", "s", "latency was breached", {"exit_code": 4})


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, experiments=tmp_path)


@pytest.fixture
def webhook(settings):
    """A receiver of notices; `seen` holds what it got, `answer` is its status."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(server.answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self):
            server.seen.append((self.path, self.headers.get("Authorization"), None))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.seen, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    _connect(settings, conn_type="http", host="127.0.0.1", port=server.server_port,
             schema="hook", password="secret")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _connect(settings, **entry):
    settings.connections.touch(0o600)
    settings.connections.write_text(json.dumps({"holdfast_webhook": entry}))


def _log(settings):
    return [json.loads(line) for line in settings.notices.read_text().splitlines()]


def test_a_notice_is_a_line_for_its_owner_only(settings):
    HomeNotifier(settings).tell(ABORT)
    (line,) = _log(settings)
    assert ("abort", "s--1", "none", 0o600) == (
        line["kind"], line["run_id"], line["webhook"], settings.notices.stat().st_mode & 0o777)


def test_the_webhook_gets_the_notice(settings, webhook):
    HomeNotifier(settings).tell(ABORT)
    ((path, token, body),) = webhook.seen
    assert ("/hook", "Bearer secret", "latency was breached") == (path, token, body["text"])


def test_the_same_kind_of_notice_for_a_run_is_told_once(settings, webhook):
    for notice in (ABORT, ABORT, Notice("residue", "s--1", "s", "left")):
        HomeNotifier(settings).tell(notice)
    assert (2, ["abort", "residue"]) == (len(webhook.seen), [e["kind"] for e in _log(settings)])


def test_a_webhook_that_refuses_is_written_down(settings, webhook):
    webhook.answer = 500
    HomeNotifier(settings).tell(ABORT)
    assert "not sent: HTTP Error 500" in _log(settings)[0]["webhook"]


@pytest.mark.parametrize("entry", [
    pytest.param({"conn_type": "http", "host": "127.0.0.1", "port": 9}, id="nobody-listens"),
    pytest.param({"conn_type": "ftp", "host": "x"}, id="not-http"),
])
def test_a_webhook_that_cannot_be_reached_is_written_down(settings, entry):
    _connect(settings, **entry)
    HomeNotifier(settings).tell(ABORT)
    assert _log(settings)[0]["webhook"].startswith("not sent: ")


@pytest.mark.parametrize("entry", [
    {"host": "u:planted@127.0.0.1"}, {"schema": "services/planted "}, {"schema": "planted\n"},
    {"password": "planted\n"}, {"password": "planted\u20ac"}, {"host": "planted@[::1"},
])
def test_an_address_that_cannot_be_used_is_not_written_down(settings, entry):
    _connect(settings, **({"conn_type": "http", "host": "127.0.0.1", "port": 9} | entry))
    HomeNotifier(settings).tell(ABORT)
    assert "not sent: " in _log(settings)[0]["webhook"]
    assert "planted" not in settings.notices.read_text()


def test_a_webhook_that_moved_gets_no_token_elsewhere(settings, webhook):
    webhook.answer = 302
    HomeNotifier(settings).tell(ABORT)
    assert ["/hook"] == [path for path, _, _ in webhook.seen]
    assert "not sent: HTTP Error 302" in _log(settings)[0]["webhook"]


def test_a_line_torn_by_a_crash_is_no_obstacle(settings):
    settings.notices.write_text('{"kind": "abo\n')
    HomeNotifier(settings).tell(ABORT)
    assert 2 == len(settings.notices.read_text().splitlines())


def test_it_never_raises(settings, capsys):
    settings.notices.mkdir()
    HomeNotifier(settings).tell(ABORT)
    assert "could not be written" in capsys.readouterr().err
