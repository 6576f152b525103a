"""Values of options that cannot be used: a fact, its place and a cure, never a class name (O1)."""

import socket

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import app


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOLDFAST_EXPERIMENTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


def refused(*words):
    done = CliRunner().invoke(app, list(words))
    assert 2 == done.exit_code, done.output
    assert done.stderr.startswith("holdfast: ")
    assert not any(name in done.stderr for name in ("Error:", "Traceback", "Errno")), done.stderr
    return done.stderr


def test_a_port_that_somebody_has_is_told(taken):
    said = refused("metrics", "--serve", taken)
    assert f"--serve: port {taken} of 127.0.0.1 cannot be had: Address already in use" in said


@pytest.mark.parametrize("every", ["nonsense", "-1s", "5"])
def test_a_pause_that_is_no_duration_is_told(every):
    assert f"--every: '{every}': a duration is" in refused("sweep", f"--every={every}")


@pytest.mark.parametrize("command", ["plan", "run", "watch", "validate"])
@pytest.mark.parametrize("what", ["folder", "binary", "missing"])
def test_what_is_no_suite_file_is_told_by_every_command_that_takes_one(home, command, what):
    file = home / "it.suite.yaml"
    if what == "folder":
        file.mkdir()
    elif what == "binary":
        file.write_bytes(b"\x7fELF\x00\xff")
    assert "it.suite.yaml" in refused(command, str(file))
