"""The command `connect`: addresses by id, secrets in a file of mode 0600 and nowhere else."""

import stat

import pytest
from typer.testing import CliRunner

from holdfast.cli.connect import connector
from holdfast.clients.connections import connection


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "connections.json"


def run(*words: str, typed: str = ""):
    return CliRunner().invoke(connector, list(words), input=typed)


def test_an_address_is_kept_under_its_id(file):
    assert 0 == run("prometheus_default", "https://metrics:9443").exit_code
    assert "https://metrics:9443" == connection(file, "prometheus_default").url
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_the_password_comes_from_standard_input_and_is_never_shown(file):
    done = run("my_db", "postgresql://app@127.0.0.1:5433/shop", "--password-file", "-",
               "--node", "a=127.0.0.1:5433", "--node", "b=127.0.0.1:5434", typed="s3cret\n")
    found = connection(file, "my_db")
    assert ("app", "s3cret", "shop", 2) == (
        found.login, found.password, found.schema, len(found.extra["nodes"]))
    assert "s3cret" not in done.output + run().output
    assert "my_db: postgres app@127.0.0.1:5433, password kept, nodes\n" == done.stdout


def test_a_password_file_is_read_to_the_end_of_its_first_line(file, tmp_path):
    (tmp_path / "secret").write_text("s3cret\nmore\n")
    run("my_db", "postgresql://app@db/shop", "--password-file", str(tmp_path / "secret"))
    assert ("s3cret", 5432) == (connection(file, "my_db").password, connection(file, "my_db").port)


def test_what_a_driver_wants_to_know_goes_into_extra(file):
    run("my_proxy", "http://127.0.0.1:8474", "--extra", "proxy=database")
    assert {"proxy": "database"} == connection(file, "my_proxy").extra


def test_all_are_listed_by_id(file):
    run("b", "http://127.0.0.1:2")
    run("a", "http://127.0.0.1:1")
    assert "a: http 127.0.0.1:1\nb: http 127.0.0.1:2\n" == run().stdout


def test_one_that_is_removed_is_gone_and_the_others_stay(file):
    run("a", "http://127.0.0.1:1")
    run("b", "http://127.0.0.1:2")
    assert "a: forgotten\n" == run("a", "--remove").stdout
    assert "b: http 127.0.0.1:2\n" == run().stdout
    assert 2 == run("a", "--remove").exit_code


@pytest.mark.parametrize(("words", "said"), [
    (("x", "localhost:9090"), "'localhost:9090' is no address"),
    (("x", "http://me:s3cret@there"), "seen by everybody"),
    (("x", "http://there:99999"), "no port"),
    (("x", "http://there:0"), "no port: 0"),
    (("", "http://there"), "'' is no id"),
    (("a b/../c", "http://there"), "'a b/../c' is no id"),
    (("x", "http://there", "--node", "a=h:70000"), "'a=h:70000' is not NAME=HOST:PORT"),
    (("x", "http://me@there", "--password-file", "nowhere"), "'nowhere' cannot be read: No such"),
    (("x", "http://there", "--node", "a"), "'a' is not NAME=HOST:PORT"),
    (("x", "http://there", "--extra", "a"), "'a' is not KEY=VALUE"),
    (("x",), "there is no connections file"),
    (("x", "--remove"), "there is no connections file"),
    (("--remove",), "takes an id"),
    (("x", "http://there", "--remove"), "no address"),
])
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(file, words, said):
    done = run(*words)
    assert 2 == done.exit_code
    assert said in done.stderr
    assert "s3cret" not in done.output
    assert not file.exists()


@pytest.mark.parametrize("url", [
    "postgresql://me@h/db?password=s3cret", "https://h/prefix", "http://h#part", "http://[::1",
])
def test_an_address_of_which_a_part_would_be_lost_is_refused(file, url):
    done = run("my", url)
    assert (2, False) == (done.exit_code, file.exists())
    assert "s3cret" not in done.output
