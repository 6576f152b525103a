"""Rules about windows, freezes, holidays and waits (S7)."""

import pytest

from holdfast.errors import SpecError
from holdfast.spec.freezes import load_freezes
from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites

LAST = "blast_radius: {instances: 100%}"


def complaints(text: str) -> list[str]:
    try:
        load_text(suites.text((LAST, f"{LAST}\n{text}")), "f", suites.known())
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" for e in error.errors]
    return []


@pytest.mark.parametrize("text", [
    "windows: {holidays: {country: DE, subdivision: BE}, time_zone: Europe/Berlin}",
    "windows: {freezes: [{from: 2026-12-24, to: 2026-12-24, reason: one day}]}",
    "windows: {allowed: [{days: [sat, sun]}, {from: '22:00', to: '24:00'}]}",
    "windows: {after_incident: {prometheus: 'x', gap: 1h}}\nretry_for: 2h",
])
def test_windows_that_can_be_kept_are_well(text):
    assert [] == complaints(text)


@pytest.mark.parametrize(("text", "told"), [
    ("windows: {time_zone: Europe/Berlen}",
     "unknown time zone 'Europe/Berlen' (did you mean 'Europe/Berlin'?)"),
    ("windows: {freezes: [{from: 2026-12-24, to: 2026-12-23, reason: x}]}",
     "a freeze that begins on 2026-12-24 cannot end before ()"),
    ("windows: {holidays: {country: XX}}",
     "no holidays are known of 'XX' (two letters of ISO 3166-1, such as DE)"),
    ("windows: {holidays: {country: DE, subdivision: BX}}",
     "no holidays are known of 'BX' in DE (did you mean 'BB'?)"),
    ("windows: {holidays: {country: VA, subdivision: BX}}",
     "no holidays are known of 'BX' in VA (leave it out)"),
    ("windows: {allowed: [{days: [mo]}]}",
     "unknown 'days' 1 'mo' (did you mean 'mon'?)"),
    ("windows: {allowed: [{from: 9}]}",
     "'from' is '9' (a time of day is hours and minutes, such as 09:00 or 22:30)"),
    ("windows: {after_incident: {prometheus: x, gap: 8s}}", "'gap' is 8s (at least 60s)"),
    ("retry_for: 30s", "'retry_for' is 30s (at least 60s)"),
    ("retry_for: 48h", "'retry_for' is 172800s (at most 86400s)"),
])
def test_what_cannot_be_kept_is_told_with_its_cure(text, told):
    assert [told] == complaints(text)


def test_without_a_file_the_deployment_has_no_freezes(tmp_path):
    assert () == load_freezes(tmp_path)


@pytest.mark.parametrize(("content", "told"), [
    (b"freezes: [{from: 2026-01-02, to: 2026-01-01, reason: x}]",
     "freezes.yaml:1:34: a freeze that begins on 2026-01-02 cannot end before"),
    (b"freezes: [{from: 2026-01-02, to: 2026-01-02}]", "freezes.yaml:1:11: 'reason' is missing"),
    (b"freeze: []", "freezes.yaml:1:1: unknown word 'freeze'"),
    (b"freezes: [", "freezes.yaml:2:1: not YAML"),
    (b"\xff", "freezes.yaml:1:1: the file is not UTF-8: byte 0xff"),
])
def test_a_broken_file_of_freezes_is_told_with_its_place(tmp_path, content, told):
    (tmp_path / "freezes.yaml").write_bytes(content)
    with pytest.raises(SpecError, match=told):
        load_freezes(tmp_path)


def test_a_file_of_freezes_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "freezes.yaml").mkdir()
    with pytest.raises(SpecError, match="not a regular file"):
        load_freezes(tmp_path)
