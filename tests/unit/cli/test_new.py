"""The command `new`: a draft that is valid, and never a file that was there."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from typer.testing import CliRunner

from holdfast.cli.new import new_app
from holdfast.spec.load import load_suite
from holdfast.spec.vocabularies import VOCABULARIES

API = ("--service", "api=process:run/api.pid")


@pytest.fixture
def experiments(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    folder = tmp_path / "experiments"
    monkeypatch.setenv("HOLDFAST_EXPERIMENTS", str(folder))
    folder.mkdir()
    return folder


def run(*words: str):
    return CliRunner().invoke(new_app, list(words))


@pytest.fixture
def prometheus(tmp_path, experiments):
    """A Prometheus that knows `names`; the connection prometheus_default leads to it."""
    names: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "success", "data": names}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    home = tmp_path / "home"
    home.mkdir()
    file = home / "connections.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"prometheus_default": {
        "conn_type": "http", "host": "127.0.0.1", "port": server.server_port}}))
    yield names
    server.shutdown()
    server.server_close()


def test_a_draft_is_a_suite_named_as_asked(experiments):
    done = run("mine", *API, "--metrics", "traefik")
    assert 0 == done.exit_code, done.output
    assert "mine" == load_suite(experiments / "mine.suite.yaml").suite.metadata.name


def test_what_to_do_next_is_told_by_name_and_no_path_of_this_machine_is_in_the_file(experiments):
    done = run("mine", *API, "--metrics", "traefik")
    assert [f"  holdfast {verb} mine" for verb in ("plan", "watch", "run")] == [
        line[: len(f"  holdfast {verb} mine")]
        for verb, line in zip(("plan", "watch", "run"), done.stdout.splitlines()[1:], strict=True)
    ]
    assert str(experiments) not in (experiments / "mine.suite.yaml").read_text()


def test_a_file_that_is_there_is_never_written_over(experiments):
    file = experiments / "mine.suite.yaml"
    file.write_text("precious")
    done = run("mine", *API, "--metrics", "traefik")
    assert (2, "precious") == (done.exit_code, file.read_text())


def test_the_names_of_metrics_are_found_out(experiments, prometheus):
    prometheus.extend(["up", *VOCABULARIES["spring"].names])
    done = run("mine", *API)
    assert 0 == done.exit_code, done.output
    assert "metrics: spring" in done.stdout
    assert "http_server_requests_seconds_count" in (experiments / "mine.suite.yaml").read_text()


def test_unknown_names_of_metrics_are_said(experiments, prometheus):
    prometheus.append("up")
    done = run("mine", *API)
    assert 2 == done.exit_code
    assert "has no metrics with names that are known here" in done.stderr


@pytest.mark.parametrize("words", [
    ("../mine", *API, "--metrics", "spring"),
    ("mine", "--metrics", "spring"),
    ("mine", *API),
    ("mine", *API, "--metrics", "spring", "--output", "nowhere/at/all.suite.yaml"),
    ("mine", "--service", "a-*=process:x", "--metrics", "spring"),
    ("mine", *API, "--metrics", "spring", "--grace", "soon"),
    ("mine", *API, "--metrics", "spring", "--window", "1m])) or vector(1"),
    ("mine", *API, "--metrics", "spring", "--labels", 'a="b"}) or up{c="d"'),
    ("mine", *API, "--metrics", "spring", "--owner", "\u202eeve"),
])
def test_what_is_wrong_leaves_no_file(experiments, words):
    done = run(*words)
    assert 2 == done.exit_code
    assert done.stderr.startswith("holdfast: ")
    assert str(experiments / "mine") not in done.stderr
    assert [] == list(experiments.iterdir())


def test_labels_go_into_every_query(experiments):
    labels = 'job="a", zone=~"eu-.*"'
    assert 0 == run("mine", *API, "--metrics", "spring", "--labels", labels).exit_code
    suite = load_suite(experiments / "mine.suite.yaml").suite
    assert all(labels in objective.indicator.prometheus for objective in suite.objectives)
