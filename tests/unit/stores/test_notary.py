"""The notary: one key, one chain."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.errors import EvidenceError
from holdfast.evidence.keys import key_id, public_key
from holdfast.evidence.log import GENESIS, digest
from holdfast.model.record import Statement
from holdfast.stores.notary import LocalNotary

STATEMENT = Statement("t/plan/v1", {}, {"n": 1})


@pytest.fixture
def notary(tmp_path):
    return LocalNotary(tmp_path / "books.db", tmp_path / "keys" / "runner.pem")


def test_the_key_is_made_at_first_use_for_its_owner_only(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    key = tmp_path / "keys" / "runner.pem"
    assert 0o600 == key.stat().st_mode & 0o777
    assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_a_second_notary_uses_the_same_key(notary, tmp_path):
    again = LocalNotary(tmp_path / "books.db", tmp_path / "keys" / "runner.pem")
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


def test_a_lost_key_is_not_replaced_while_its_records_are_there(notary, tmp_path):
    """E1: a new key would make every record look signed by somebody else."""
    signer = key_id(public_key(notary.public_key()))
    notary.append("s--1", STATEMENT)
    key = tmp_path / "keys" / "runner.pem"
    key.unlink()
    for ask in (notary.public_key, lambda: notary.append("s--1", STATEMENT)):
        with pytest.raises(EvidenceError, match=f"is missing, and 1 records of key {signer[:16]}"):
            ask()
    assert (False, 1) == (key.exists(), len(notary.records()))


def test_a_lost_key_is_missed_beside_a_damaged_record_too(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    (tmp_path / "keys" / "runner.pem").unlink()
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET envelope = ?", [b"{}"])
    connection.close()
    with pytest.raises(EvidenceError, match="of key unknown"):
        notary.public_key()


def test_each_record_names_the_one_before(notary):
    first, second = notary.append("a", STATEMENT), notary.append("b", STATEMENT)
    assert (GENESIS, digest(first.envelope)) == (first.previous, second.previous)


def test_records_are_read_back_whole_or_by_run(notary):
    first, second = notary.append("a", STATEMENT), notary.append("b", STATEMENT)
    assert ([first, second], [second]) == (notary.records(), notary.records("b"))


def test_writers_side_by_side_make_one_chain(notary):
    notary.public_key()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: notary.append(f"s--{n}", STATEMENT), range(12)))
    log = notary.records()
    assert [digest(r.envelope) for r in log[:-1]] == [r.previous for r in log[1:]]


def test_a_refused_statement_leaves_no_record(notary):
    with pytest.raises(EvidenceError, match="float"):
        notary.append("s--1", Statement("t", {}, {"n": 0.5}))
    assert [] == notary.records()


def test_a_log_that_cannot_be_written_is_an_evidence_error(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("ALTER TABLE record RENAME TO gone")
    connection.close()
    with pytest.raises(EvidenceError, match="cannot be written"):
        notary.append("s--1", STATEMENT)


def test_nothing_is_appended_to_what_is_no_envelope(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET envelope = 'text'")
    connection.close()
    with pytest.raises(EvidenceError, match="record 0: not an envelope"):
        notary.append("s--1", STATEMENT)


def test_records_can_only_be_added(notary, tmp_path):
    notary.append("s--1", STATEMENT)
    connection = sqlite3.connect(tmp_path / "books.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("DELETE FROM record")
    connection.close()
