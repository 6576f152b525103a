"""The log of evidence, on files and on a server (E1)."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from holdfast.errors import EvidenceError
from holdfast.evidence.keys import key_id, new_key, public_key
from holdfast.evidence.log import GENESIS, digest
from holdfast.model.record import Statement
from holdfast.stores.notary import LocalNotary
from holdfast.stores.places import books_of

STATEMENT = Statement("t/plan/v1", {}, {"n": 1})


@pytest.fixture
def notary(settings):
    return LocalNotary(books_of(settings), settings.keys)


def test_a_lost_key_is_not_replaced_while_its_records_are_there(notary, settings):
    """E1: a new key would make every record look signed by somebody else."""
    signer = key_id(public_key(notary.public_key()))
    notary.append("s--1", STATEMENT)
    key = settings.keys / "runner.pem"
    key.unlink()
    for ask in (notary.public_key, lambda: notary.append("s--1", STATEMENT)):
        with pytest.raises(EvidenceError, match=f"is missing, and 1 records of key {signer[:16]}"):
            ask()
    assert (False, 1) == (key.exists(), len(notary.records()))


def test_a_lost_key_is_missed_beside_a_damaged_record_too(notary, settings, tamper):
    notary.append("s--1", STATEMENT)
    (settings.keys / "runner.pem").unlink()
    trigger = "record_append_only ON record" if settings.store else "record_no_update"
    tamper(f"DROP TRIGGER {trigger}")
    tamper("UPDATE record SET envelope = '{}'")
    with pytest.raises(EvidenceError, match="of key unknown"):
        notary.public_key()


def test_another_key_than_the_logs_is_refused(notary, settings, tmp_path):
    """E1: as on a second machine whose home has a key of its own."""
    notary.append("s--1", STATEMENT)
    signer = key_id(public_key(notary.public_key()))
    other = LocalNotary(books_of(settings), tmp_path / "other")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "runner.pem").write_bytes(new_key())
    (tmp_path / "other" / "runner.pem").chmod(0o600)
    with pytest.raises(EvidenceError, match=f"signed with key {signer[:16]}, and .* is another"):
        other.append("s--2", STATEMENT)
    assert 1 == len(notary.records())


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


def test_a_log_that_cannot_be_written_is_an_evidence_error(notary, tamper):
    notary.append("s--1", STATEMENT)
    tamper("ALTER TABLE record RENAME TO gone")
    with pytest.raises(EvidenceError, match="cannot be written"):
        notary.append("s--1", STATEMENT)


def test_records_can_only_be_added(notary, tamper):
    notary.append("s--1", STATEMENT)
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        tamper("DELETE FROM record")
