"""The head of a log: who has signed it, and what was seen before."""

from datetime import UTC, datetime

import pytest

from holdfast.evidence.checkpoint import Checkpoint, checkpoint_of
from holdfast.evidence.head import check_head, check_pin, tree
from holdfast.evidence.merkle import leaf_hash, root
from holdfast.evidence.note import Note, signed
from holdfast.model.record import Role
from support.bundles import KEYS, ORIGIN, key_of, trust, world

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LEAVES = [leaf_hash(str(n).encode()) for n in range(5)]


def at(size, leaves=LEAVES, origin=ORIGIN):
    return Checkpoint(origin, size, root(size, tree(leaves[:size])))


def found(note):
    return [t.code for t in check_head(str(note), trust().policy, NOW).troubles]


def test_a_head_that_enough_witnesses_have_signed_has_no_trouble():
    head = check_head(str(world().head()), trust().policy, NOW)
    assert ((), {"w1", "w2"}) == (tuple(head.troubles), {*head.cosigners})


def test_a_head_that_is_none_is_malformed():
    assert ["E_MALFORMED"] == found("nonsense")


def test_a_head_that_the_log_has_not_signed_is_nobodys():
    genuine = world().head()
    assert ["E_UNTRUSTED_SIGNER"] == found(Note(genuine.text, genuine.signatures[1:]))


def test_a_signature_over_another_head_is_no_signature():
    genuine, other = world().head(), world("BROKEN").head()
    assert "E_BAD_SIGNATURE" in found(Note(genuine.text, [*other.signatures[:1]]))
    lines = [*genuine.signatures[:2], other.signatures[2]]
    assert ["E_BAD_SIGNATURE", "E_QUORUM"] == found(Note(genuine.text, lines))


def test_a_signature_by_another_key_of_the_name_counts_for_nothing():
    genuine = world().head()
    stranger = signed(genuine.text, ORIGIN, key_of("stranger"))
    assert ["E_UNTRUSTED_SIGNER"] == found(Note(genuine.text, [stranger, *genuine.signatures[1:]]))
    mine = signed(genuine.text, ORIGIN, KEYS[Role.LOG])
    assert [] == found(Note(genuine.text, [stranger, mine, *genuine.signatures[1:]]))


@pytest.mark.parametrize(("pin", "code"), [
    (at(3), []), (at(0), []), (at(5), []), (at(3, origin="x"), ["E_ORIGIN"]),
    (Checkpoint(ORIGIN, 9, bytes(32)), ["E_LOG_TRUNCATED"]),
    (Checkpoint(ORIGIN, 3, bytes(32)), ["E_HISTORY_REWRITTEN"])])
def test_a_log_is_held_against_what_was_seen_of_it(pin, code):
    assert code == [t.code for t in check_pin(pin, at(5), LEAVES)]


def test_a_log_whose_leaves_are_missing_is_for_other_checks_to_tell():
    assert [] == check_pin(at(4), at(5), LEAVES[:2])
    assert 13 == checkpoint_of(world().head()).size
