"""Readings of accounts leave a trace, or do not happen."""

import json
import os

import pytest

from shop.api.audit import Audit


@pytest.fixture
def file(tmp_path):
    return tmp_path / "audit" / "accounts.jsonl"


def _lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_reading_is_a_line_that_names_reader_account_and_api(file):
    Audit(file, "api-1").write("load", 7)
    (line,) = _lines(file)
    at = line.pop("at")
    assert {"reader": "load", "account": 7, "api": "api-1"} == line
    assert abs(at - file.stat().st_mtime) < 60


def test_two_apis_write_into_one_file(file):
    one, two = Audit(file, "api-1"), Audit(file, "api-2")
    for audit in (one, two, one):
        audit.write("x", 1)
    assert ["api-1", "api-2", "api-1"] == [line["api"] for line in _lines(file)]


def test_a_reader_can_break_no_line(file):
    Audit(file, "api-1").write('x"\n{"reader": "y"}', 1)
    assert ['x"\n{"reader": "y"}'] == [line["reader"] for line in _lines(file)]


def test_a_reading_that_is_noted_in_part_only_is_an_error(file, monkeypatch):
    audit = Audit(file, "api-1")
    monkeypatch.setattr(os, "write", lambda *_: 3)
    with pytest.raises(OSError, match="No space"):
        audit.write("load", 7)
