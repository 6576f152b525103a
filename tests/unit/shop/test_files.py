"""Small files: whole or not at all, and secrets only for their owner."""

import json
import stat

from shop.files import read_json, write_connections, write_json


def test_what_others_put_into_the_connections_stays(tmp_path):
    file = tmp_path / "connections.json"
    write_json(file, {"airflow": {"conn_type": "http"}})
    write_connections(file, {"shop_db": {"port": 1}})
    assert {"airflow": {"conn_type": "http"}, "shop_db": {"port": 1}} == read_json(file)


def test_none_takes_a_connection_away(tmp_path):
    file = tmp_path / "connections.json"
    write_connections(file, {"shop_db": {"port": 1}, "other": {}})
    write_connections(file, {"shop_db": None, "never_was": None})
    assert {"other": {}} == read_json(file)


def test_only_the_owner_reads_the_connections(tmp_path):
    file = tmp_path / "connections.json"
    file.write_text("{}")
    file.chmod(0o644)
    write_connections(file, {"shop_db": {"password": "p"}})
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_a_write_leaves_nothing_beside_the_file(tmp_path):
    write_json(tmp_path / "deep" / "a.json", [1])
    assert ["a.json"] == [f.name for f in (tmp_path / "deep").iterdir()]
    assert [1] == json.loads((tmp_path / "deep" / "a.json").read_text())


def test_a_file_that_is_not_there_reads_as_none(tmp_path):
    assert read_json(tmp_path / "none.json") is None
