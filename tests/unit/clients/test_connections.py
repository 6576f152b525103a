"""Addresses and secrets come from a file that only its owner can read."""

import json
import stat

import pytest

from holdfast.clients.connections import connection, write_connection
from holdfast.clients.postgres import Cluster
from holdfast.errors import SpecError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "connections.json"
    write_connection(path, "db", {"conn_type": "postgres", "host": "h", "port": 1, "password": "p"})
    return path


def test_a_connection_is_read_by_its_id(file):
    found = connection(file, "db")
    assert ("postgres", "h", 1, "p") == (found.type, found.host, found.port, found.password)


def test_a_password_is_not_shown_when_a_connection_is_printed(file):
    assert "password" not in repr(connection(file, "db"))


def test_a_file_that_others_may_read_is_refused(file):
    file.chmod(0o640)
    with pytest.raises(SpecError, match="others may read") as error:
        connection(file, "db")
    assert f"chmod 600 {file}" == error.value.hint


def test_an_unknown_id_is_answered_with_the_known_ones(file):
    with pytest.raises(SpecError, match=r"unknown connection 'dbb'.*known: db"):
        connection(file, "dbb")


@pytest.mark.parametrize("content", ["", "{", "[1"])
def test_what_is_not_json_is_said_so(file, content):
    file.write_text(content)
    with pytest.raises(SpecError, match="not JSON"):
        connection(file, "db")


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(SpecError, match="there is no connections file"):
        connection(tmp_path / "none.json", "db")


def test_writing_one_keeps_the_others_and_the_mode(file):
    write_connection(file, "web", {"conn_type": "http"})
    assert {"db", "web"} == set(json.loads(file.read_text()))
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize(("entry", "url"), [
    pytest.param({"host": "h", "port": 9090}, "http://h:9090", id="plain"),
    pytest.param({"host": "h", "schema": "https"}, "https://h", id="tls-without-a-port"),
    pytest.param({"host": "https://h/", "port": 1}, "https://h:1", id="a-whole-address"),
])
def test_an_http_connection_has_an_address(tmp_path, entry, url):
    write_connection(tmp_path / "c.json", "p", entry)
    assert url == connection(tmp_path / "c.json", "p").url


@pytest.mark.parametrize(("text", "told"), [
    ('{"db": "postgresql://u:p@h/db"}', "not an object of objects"),
    ("[]", "not an object of objects"),
    ('{"db": {"port": "abc"}}', "db: the port is no number"),
    ('{"db": {"extra": "token"}}', "db: extra is no JSON object"),
])
def test_an_entry_that_is_none_is_named(file, text, told):
    file.write_text(text)
    with pytest.raises(SpecError, match=told):
        connection(file, "db")


def test_extra_may_be_text_as_airflow_writes_it(file):
    file.write_text('{"db": {"extra": "{\\"proxy\\": \\"orders\\"}"}}')
    assert {"proxy": "orders"} == connection(file, "db").extra


def test_an_address_of_six_is_in_brackets(file):
    write_connection(file, "six", {"conn_type": "http", "host": "::1", "port": 9090})
    assert "http://[::1]:9090" == connection(file, "six").url


def test_half_a_letter_is_refused_before_anybody_tries_to_send_it(file):
    write_connection(file, "x", {"conn_type": "postgres", "password": "planted\ud800"})
    with pytest.raises(SpecError, match="surrogates not allowed") as told:
        connection(file, "x")
    assert "planted" not in str(told.value)


@pytest.mark.parametrize("host", [
    "postgresql://u:planted@h/db", "http://u:planted@h", "u:planted@127.0.0.1",
    "postgresql://h/db?password=planted",
])
def test_an_address_with_a_login_is_refused_and_not_told(file, host):
    """Who cannot reach it, from libpq to aiohttp, says the whole of it."""
    write_connection(file, "x", {"conn_type": "postgres", "host": host})
    with pytest.raises(SpecError, match="may hold a password") as told:
        connection(file, "x")
    assert "planted" not in str(told.value)
    write_connection(file, "x", {"conn_type": "postgres", "host": "h", "extra": {
        "nodes": [{"name": "a", "host": host, "port": 1}]}})
    with pytest.raises(SpecError, match="may hold a password") as told:
        Cluster(connection(file, "x"))
    assert "planted" not in str(told.value)
