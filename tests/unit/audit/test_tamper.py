"""E1: each forgery of a bundle is found, and named for what it is (tests/support/forgeries.py)."""

import zipfile
from datetime import UTC, datetime

import pytest

from holdfast.audit import check, places
from holdfast.evidence import records as record_checks
from holdfast.evidence.checkpoint import checkpoint_of
from support.bundles import (
    Forger,
    changed,
    codes,
    world,
)
from support.forgeries import CASES, DAY, case_7, rewritten

EXITS = {
    "E_UNSAFE_PATH": 2, "E_LIMIT": 2, "E_LOG_TRUNCATED": 4, "E_STALE_BUNDLE": 4,
    "E_STALE_CHECKPOINT": 4, "E_QUORUM": 5, "GAP": 6,
}


def test_a_genuine_bundle_is_accepted():
    found = world().bundle().check(pin=checkpoint_of(world().head()), bundle_age=DAY)
    assert ([], 0, 3, 6) == (found.troubles, found.exit_code, found.runs, found.artefacts)


@pytest.mark.parametrize("number", CASES)
def test_each_forgery_is_found_and_named(number):
    found, code = CASES[number]()
    assert code in codes(found), found.troubles
    assert found.exit_code != 0
    if code in EXITS and len(codes(found)) == 1:
        assert EXITS[code] == found.exit_code


@pytest.mark.parametrize("number", [10, 11])
def test_without_witnesses_a_rewritten_log_is_accepted(number, monkeypatch):
    """The mechanism matters: who asks for no witness, and keeps no pin, is deceived."""
    monkeypatch.setattr("holdfast.evidence.policy.Policy.is_met", lambda *_: True)
    assert 0 == CASES[number]()[0].exit_code


def test_without_a_pin_colluding_witnesses_are_believed():
    assert 0 == rewritten(("w1", "w2", "w3")).exit_code
    assert 4 == case_7()[0].exit_code
    w = world()
    assert 0 == w.bundle().relogged(w.batch.records[:9]).check().exit_code


@pytest.mark.parametrize(("number", "name"), [
    (1, "_files"), (26, "_files"), (28, "_remade"), (38, "_counts"), (39, "_head"),
    (41, "_signature"), (22, "check_age"), (24, "check_age"), (45, "check_required"),
    (12, "_pin"), (7, "_pin"), (40, "check_story"), (44, "check_story"), (17, "check_story"),
])
def test_with_its_mechanism_off_the_forgery_is_accepted(number, name, monkeypatch):
    """Each check carries weight of its own: nothing else finds what it finds."""
    off = {"check_story": lambda *_: check_story_off()}.get(name, lambda *_: [])
    monkeypatch.setattr(check, name, off)
    found, _ = CASES[number]()
    assert 0 == found.exit_code, found.troubles


def check_story_off():
    from holdfast.evidence.story import Story

    return Story([])


@pytest.mark.parametrize("number", [13, 14, 15, 21])
def test_with_the_records_own_checks_off_the_forgery_is_accepted(number, monkeypatch):
    monkeypatch.setattr(record_checks, "_signed", lambda *_: [])
    monkeypatch.setattr(record_checks, "_dated", lambda *_: [])
    assert 0 == CASES[number]()[0].exit_code


def test_without_trust_a_bundle_is_of_integrity_only():
    """E2: a trust file inside the bundle is never trusted."""
    found = world().bundle().check(blind=True)
    assert ({"E_NO_TRUST"}, 5) == (codes(found), found.exit_code)


def test_what_is_no_zip_is_told(tmp_path):
    from holdfast.audit.verify import Options, verify_file

    (tmp_path / "b.zip").write_bytes(b"nonsense")
    found = verify_file(tmp_path / "b.zip", Options(), datetime(2026, 1, 1, tzinfo=UTC))
    assert ({"E_NOT_A_BUNDLE"}, 2) == (codes(found), found.exit_code)


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b", "a\\b", "C:x", "a//b", "./a", "ä"])
def test_names_that_could_do_harm_are_refused(name):
    f = world("HELD").bundle()
    f.files[name] = b"x"
    assert {"E_UNSAFE_PATH"} == codes(f.listed().check())


def test_a_name_twice_is_refused():
    f = world("HELD").bundle()
    packed = f.packed()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(packed, "a") as more:
        more.writestr(places.README, "other")
    assert {"E_UNSAFE_PATH"} == codes(_checked(packed))


def _checked(packed):
    from holdfast.audit.check import Found
    from holdfast.audit.opened import NotABundle, opened

    try:
        with opened(packed):
            return Found([])
    except NotABundle as error:
        return Found([error.trouble])


def test_a_byte_flipped_anywhere_is_found():
    """E1: in whatever file of the bundle, at its beginning, middle and end."""
    whole = world("HELD").bundle()
    for name in sorted(whole.files):
        size = len(whole.files[name])
        for at in {0, size // 2, size - 1}:
            f = Forger(dict(whole.files), whole.manifest, whole.records, whole.clock, whole.sealed)
            content = bytearray(f.files[name])
            content[at] ^= 1
            f.files[name] = bytes(content)
            assert f.check().exit_code != 0, (name, at)


def test_a_damaged_manifest_is_no_bundle():
    f = world("HELD").bundle()
    f.sealed = b"{}"
    assert ({"E_NOT_A_BUNDLE"}, 2) == (codes(f.check()), f.check().exit_code)


def test_changed_keeps_what_it_does_not_change():
    f = world("HELD").bundle()
    content = f.files[places.entry(1)]
    assert content == changed(content, lambda _: None)
