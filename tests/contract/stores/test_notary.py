"""The log of evidence, on files and on a server (E1)."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import checkpoint_of, read_checkpoint, read_proof
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.head import check_head, check_tree
from holdfast.evidence.keys import key_id, new_key, public_key
from holdfast.evidence.log import GENESIS, digest
from holdfast.evidence.merkle import is_consistent, leaf_hash, root_by_inclusion
from holdfast.evidence.roles import APPROVAL, KEY_EVENT, announced
from holdfast.evidence.trust import trust_of
from holdfast.model.record import Role, Statement
from holdfast.stores._files import write_durably
from holdfast.stores.log import SqlLog
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
        with pytest.raises(EvidenceError, match=f"is missing, and records of key {signer[:16]}"):
            ask()
    assert (False, 2) == (key.exists(), len(notary.records()))


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
    with pytest.raises(EvidenceError, match=r"runner.pem is missing, and records of key"):
        other.append("s--2", STATEMENT)
    for role in ("runner", "approver", "log", "exporter"):
        write_durably(tmp_path / "other" / f"{role}.pem", new_key(), 0o600)
    with pytest.raises(EvidenceError, match=f"signed with key {signer[:16]}, and .* holds others"):
        other.append("s--2", STATEMENT)
    assert 2 == len(notary.records())


def test_each_record_names_the_one_before(notary):
    first, second = notary.append("a", STATEMENT), notary.append("b", STATEMENT)
    keys = notary.records()[0]
    assert (GENESIS, digest(keys.envelope), digest(first.envelope)) == (
        keys.previous, first.previous, second.previous)


def test_records_are_read_back_whole_or_by_run(notary):
    first, second = notary.append("a", STATEMENT), notary.append("b", STATEMENT)
    assert ([first, second], [second]) == (notary.records()[1:], notary.records("b"))


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


@pytest.fixture
def log(settings):
    return SqlLog(books_of(settings))


def trusted(notary, log):
    keys = {role: public_key(notary.public_key(role)) for role in (Role.RUNNER, Role.LOG)}
    return trust_of(read_checkpoint(log.head()[0])[0].origin, keys, {})


def test_the_head_is_that_of_all_records_and_signed_by_the_logs_own_key(notary, log):
    """E1: durable with the record that it covers, never without."""
    for number in range(3):
        notary.append(f"s--{number}", STATEMENT)
    note, _ = log.head()
    head = check_head(note, trusted(notary, log).policy, datetime.now(UTC))
    leaves = [leaf_hash(r.envelope) for r in notary.records()]
    assert ([], [], 4) == (
        list(head.troubles), check_tree(head.checkpoint, leaves), head.checkpoint.size)


def test_what_threads_ask_for_at_once_is_one_tree(notary, log):
    notary.public_key()
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(lambda n: notary.append(f"s--{n}", STATEMENT), range(60)))
    assert sorted(r.index for r in records) == list(range(1, 61))
    checkpoint, _ = read_checkpoint(log.head()[0])
    assert [] == check_tree(checkpoint, [leaf_hash(r.envelope) for r in notary.records()])


def test_of_what_is_written_together_only_the_wrong_one_fails(notary):
    """One statement that cannot be signed is nobody else's trouble."""
    def append(number):
        told = {"n": number if number % 3 else 0.5}
        try:
            return notary.append(f"s--{number}", Statement("t", {}, told)).run_id
        except EvidenceError:
            return None

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(append, range(30)))
    assert [f"s--{n}" if n % 3 else None for n in range(30)] == found
    assert 21 == len(notary.records())


def test_every_record_is_proven_and_heads_follow_one_another(notary, log):
    heads = []
    for number in range(5):
        notary.append("s--1", STATEMENT)
        heads.append(read_checkpoint(log.head()[0])[0])
        proof = read_proof(log.proof(number + 1))
        leaf = leaf_hash(notary.records()[-1].envelope)
        newest = checkpoint_of(proof.checkpoint)
        assert newest.root == root_by_inclusion(leaf, proof.index, newest.size, proof.hashes)
    for old in heads:
        new = heads[-1]
        proof = log.consistency(old.size, new.size)
        assert is_consistent((old.size, old.root), (new.size, new.root), proof)


def test_a_record_that_is_not_there_has_no_proof(notary, log):
    with pytest.raises(EvidenceError, match="the log has 0 records, and no record 0"):
        log.proof(0)
    notary.append("s--1", STATEMENT)
    with pytest.raises(EvidenceError, match="the log has 2 records, and no record 2"):
        log.proof(2)


def test_the_log_announces_its_keys_once_and_again_when_one_is_new(notary, settings):
    for _ in range(2):
        notary.append("s--1", STATEMENT)
    (settings.keys / "exporter.pem").write_bytes(new_key())
    notary.append("s--1", STATEMENT)
    LocalNotary(books_of(settings), settings.keys).append("s--1", STATEMENT)
    kinds = [r.predicate_type for r in notary.records()]
    assert [0, 3] == [i for i, kind in enumerate(kinds) if kind == KEY_EVENT]
    told = announced([statement_of(read(notary.records()[3].envelope))])
    own = {role: key_id(public_key(notary.public_key(role))) for role in Role
           if role is not Role.WITNESS}
    assert own == {key.role: key.id for key in told}


def test_an_approval_is_signed_with_a_key_of_its_own(notary):
    record = notary.append("s--1", Statement(APPROVAL, {}, {}))
    assert key_id(public_key(notary.public_key(Role.APPROVER))) == read(record.envelope).key_id
    assert notary.public_key(Role.APPROVER) != notary.public_key()


def test_a_log_that_was_cut_takes_no_record(notary, settings, tamper):
    """E1: the next record would hide the cut."""
    for _ in range(2):
        notary.append("s--1", STATEMENT)
    trigger = "record_append_only ON record" if settings.store else "record_no_delete"
    tamper(f"DROP TRIGGER {trigger}")
    tamper("DELETE FROM record WHERE number = 2")
    with pytest.raises(EvidenceError, match="the log has 2 records, and its checkpoint says 3"):
        notary.append("s--1", STATEMENT)


def test_records_of_before_the_tree_was_kept_are_taken_over(notary, log, settings, tamper):
    for _ in range(3):
        notary.append("s--1", STATEMENT)
    before, _ = read_checkpoint(log.head()[0])
    name = "checkpoint_append_only ON checkpoint" if settings.store else "checkpoint_no_delete"
    tamper(f"DROP TRIGGER {name}")
    tamper("DELETE FROM checkpoint")
    tamper("DELETE FROM tile")
    notary.sign_head()
    assert before == read_checkpoint(log.head()[0])[0]
    notary.sign_head()
    notary.append("s--1", STATEMENT)
    assert 5 == read_checkpoint(log.head()[0])[0].size


def test_a_head_that_witnesses_signed_is_found_apart(notary, log):
    notary.append("s--1", STATEMENT)
    note, at = log.head()
    assert ("", "") == log.head(is_cosigned=True)
    log.keep_head(note, at, is_cosigned=True)
    notary.append("s--1", STATEMENT)
    assert (note, at) == log.head(is_cosigned=True)
    assert 3 == read_checkpoint(log.head()[0])[0].size
    assert 32 * 3 == len(log.tile(0, 0))
