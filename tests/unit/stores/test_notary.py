"""The notary: one key, one chain."""

import sqlite3

import pytest

from holdfast.errors import EvidenceError
from holdfast.model.record import Statement
from holdfast.stores.notary import LocalNotary

STATEMENT = Statement("t/plan/v1", {}, {"n": 1})


@pytest.fixture
def notary(tmp_path):
    return LocalNotary(tmp_path / "books.db", tmp_path / "keys")


def test_the_key_is_made_at_first_use_for_its_owner_only(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    key = tmp_path / "keys" / "runner.pem"
    assert 0o600 == key.stat().st_mode & 0o777
    assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_a_second_notary_uses_the_same_key(notary, tmp_path):
    again = LocalNotary(tmp_path / "books.db", tmp_path / "keys")
    assert notary.public_key() == again.public_key()


def test_a_key_that_others_can_read_is_refused_with_the_cure(notary, tmp_path):
    """E1, bad input: permission on the key file."""
    notary.public_key()
    key = tmp_path / "keys" / "runner.pem"
    key.chmod(0o640)
    with pytest.raises(EvidenceError, match=f"chmod 600 {key}"):
        notary.append("s--1", STATEMENT)


def test_a_key_that_cannot_be_read_is_refused_with_the_cure(notary, tmp_path):
    key = tmp_path / "keys" / "runner.pem"
    key.mkdir(parents=True, mode=0o700)
    with pytest.raises(EvidenceError, match=r"cannot be read .*mode 0600"):
        notary.append("s--1", STATEMENT)


def test_a_key_that_is_none_is_refused(notary, tmp_path):
    key = tmp_path / "keys" / "runner.pem"
    key.parent.mkdir()
    key.touch(0o600)
    with pytest.raises(EvidenceError, match="not a private key"):
        notary.append("s--1", STATEMENT)


def test_nothing_is_appended_to_what_is_no_envelope(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET envelope = 'text'")
    connection.close()
    with pytest.raises(EvidenceError, match="record 1: not an envelope"):
        notary.append("s--1", STATEMENT)
