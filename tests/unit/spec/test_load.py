"""From a file to a suite: everything wrong is told at once, in order of lines (O1)."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from holdfast.spec.load import load_suite, load_text
from holdfast.spec.problems import SpecErrors
from holdfast.spec.translate import words_at
from support import suites


def told(text: str) -> list[str]:
    with pytest.raises(SpecErrors) as refused:
        load_text(text, "f", suites.known())
    return str(refused.value).splitlines()


def test_the_digest_is_of_the_bytes_of_the_file(tmp_path):
    file = suites.written(tmp_path)
    loaded = load_suite(file, suites.known())
    assert "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest() == loaded.digest
    assert file == loaded.path


@pytest.mark.parametrize("name", ["a\n::error::b", "\x1b[31ma", "\udcff"])
def test_the_name_of_a_file_is_told_on_one_line(tmp_path, name):
    """Whoever sends a suite for review names its file too, and a log is read line by line."""
    file = tmp_path / f"{name}.suite.yaml"
    file.write_text(suites.text(("owner:", "ownr:")))
    with pytest.raises(SpecErrors) as told:
        load_suite(file, suites.known())
    assert str(told.value).isprintable()
    file.write_text(suites.TEXT)
    assert file == load_suite(file, suites.known()).path
    with pytest.raises(SpecErrors) as told:
        load_suite(file / "x", suites.known())
    assert str(told.value).isprintable()


def test_a_suite_may_be_json(tmp_path):
    plain = json.dumps(YAML(typ="safe", pure=True).load(suites.TEXT), indent=2)
    assert suites.suite() == load_text(plain, "checkout.suite.json", suites.known()).suite


def test_errors_of_shape_and_of_sense_are_told_together():
    lines = told(suites.text(
        ("owner: platform-team", "ownr: platform-team"), ("target: api,", "target: apy,"),
    ))
    assert [
        "f:3:28: unknown word 'ownr' (did you mean 'owner'?)",
        "f:19:37: unknown service 'apy' (did you mean 'api'?)",
    ] == lines


def test_no_more_is_told_than_is_read():
    lines = told(suites.text() + "".join(f"x{n}: 1\n" for n in range(60)))
    assert 51 == len(lines)
    assert "f: 10 more at least" == lines[-1]


def test_a_required_part_that_is_wrong_hides_the_rest_but_nothing_is_invented():
    lines = told(suites.text(("target: api, duration: 7s", "target: [api], duration: 7s")))
    assert ["f:19:37: 'target' is a text, not a list"] == lines


@pytest.mark.parametrize(("old", "new", "message"), [
    ("owner: platform-team", "owner: 5", "'owner' is a text, not '5'"),
    ("owner: platform-team", "owner: null", "'owner' is a text, not nothing"),
    ("recovery_point: 0", "recovery_point: some", "'recovery_point' is a whole number, not 'some'"),
    ("recovery_point: 0", "recovery_point: 0.5", "'recovery_point' is a whole number, not '0.5'"),
    ("recovery_point: 0", "recovery_point: true", "'recovery_point' is a whole number, not 'true'"),
    ("duration: 7s", "duration: 99999999999999h",
     "'duration' is '99999999999999h' (a duration is not that long)"),
    ('"> 60% for 4s"', '"> -60%"',
     "'errors' is '> -60%' (a time is not negative, a percentage between 0% and 100%)"),
    ('"< 500ms"', "{op: <, value: inf}", "'objective' is a mapping (a bound is a comparison and "
     "a number, such as '< 500ms' or '>= 99%')"),
    ('"> 60% for 4s"', "7", "'errors' is '7' (a bound is a comparison and a number, such as "
     "'< 500ms' or '>= 99%')"),
    ("checks: [app_recovered]", "checks: [{a: 1}]", "'checks' 1 is a text, not a mapping"),
    ("{window: 4s}", "4s", "'baseline' is a mapping, not '4s'"),
    ("duration: 7s", "duration: true", "'duration' is 'true' (a duration is a number and ms, s, "
     "m or h, such as 500ms or 8s)"),
    ("errors: \"> 60%", "Errors: \"> 60%", "'Errors' is not a name (lower-case letters, digits "
     "and hyphens, a letter first, at most 63)"),
    ("for 4s", "for ever",
     "'errors' is '> 60% for ever' (a duration is a number and ms, s, m or h, "
     "such as 500ms or 8s)"),
    ("query: SELECT key FROM orders", "query: ' '",
     "'query' is empty (write one)"),
    ('process: "shop/run/api-1.pid"', "process: ''",
     "'process' is empty (write one)"),
    ("kind: Suite", "kind: suit", "unknown 'kind' 'suit' (did you mean 'Suite'?)"),
    ("baseline:", "after_abort: stopp\nbaseline:",
     "unknown 'after_abort' 'stopp' (did you mean 'stop'?)"),
])
def test_a_wrong_value_is_named_with_what_is_right(old, new, message):
    (line,) = told(suites.text((old, new)))
    assert message == line.split(": ", 1)[1]


def test_a_list_is_no_suite():
    assert ["f:1:1: the file is a mapping, not a list"] == told("- 1\n")


def test_a_long_value_is_cut():
    (line,) = told(suites.text(("name: checkout", "name: " + "X" * 300)))
    assert len(line) < 200


def test_words_are_known_at_every_depth():
    assert "recovery_within" in words_at(("rounds", 0, "experiments", 1, "expect"))
    assert "process" in words_at(("target", "services", "api"))
    assert "cron" in words_at(("schedule",))
    assert [] == words_at(("no", "such", 3))


def test_a_file_that_cannot_be_read_is_the_authors_to_fix(tmp_path):
    with pytest.raises(SpecErrors, match="No such file") as refused:
        load_suite(tmp_path / "no.suite.yaml")
    assert 2 == refused.value.exit_code


@pytest.mark.timeout(10)
@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path, kind):
    place = tmp_path / "x.suite.yaml"
    os.mkfifo(place) if kind == "pipe" else place.mkdir()
    with pytest.raises(SpecErrors, match=r"x\.suite\.yaml: not a regular file"):
        load_suite(place)


def test_a_file_that_is_too_large_is_never_read(tmp_path):
    file = tmp_path / "x.suite.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(SpecErrors, match=f"the file has {1 << 40} bytes .at most"):
        load_suite(file)


def test_a_file_that_is_not_utf_8_says_where(tmp_path: Path):
    file = tmp_path / "x.suite.yaml"
    file.write_bytes(b"a: \xff\n")
    with pytest.raises(SpecErrors, match=r"x.suite.yaml:1:4: the file is not UTF-8: byte 0xff"):
        load_suite(file)


def test_each_error_carries_its_parts():
    with pytest.raises(SpecErrors) as refused:
        load_text(suites.text(("target: api,", "target: apy,")), "f", suites.known())
    (error,) = refused.value.errors
    assert ("unknown service 'apy'", "f:19:37", "did you mean 'api'?") == (
        error.message, error.where, error.hint
    )
