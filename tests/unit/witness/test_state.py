"""E1: a witness signs a log that has only grown, and nothing else (C2SP tlog-witness)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import checkpoint_of
from holdfast.evidence.head import tree
from holdfast.evidence.merkle import EMPTY, consistency, leaf_hash
from holdfast.evidence.note import ED25519, Note, read_note, signed, signed_at, verifier
from holdfast.evidence.witness import Refusal, asked, written
from holdfast.model.record import Role
from holdfast.witness.state import Witness
from support.bundles import KEYS, ORIGIN, head, key_of, world

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def witness(tmp_path):
    return Witness("w.example", tmp_path / "w", {
        ORIGIN: verifier(ORIGIN, KEYS[Role.LOG].public_key(), ED25519)})


def ask(witness, made, size, *, old=0, note=None, proof=None):
    """Ask it to sign the head of the first `size` records."""
    records = made.batch.records[:size]
    leaves = tree([leaf_hash(r.envelope) for r in records])
    told = note or head(records, made.clock, ())
    way = consistency(old, size, leaves) if proof is None and 0 < old <= size else proof or []
    return told, witness.add_checkpoint(written(old, way, str(told)), NOW)


def refused(witness, *arguments, **more):
    with pytest.raises(Refusal) as raised:
        ask(witness, *arguments, **more)
    return raised.value.status, raised.value.size


def test_a_log_that_grows_is_signed_again_and_again(witness):
    made, old = world(), 0
    for size in (1, 4, 4, 13):
        note, line = ask(witness, made, size, old=old)
        assert round(NOW.timestamp()) == signed_at(Note(note.text, [line]), witness.vkey())
        old = size


def test_what_it_signed_is_shown_with_the_logs_own_signature(witness):
    import hashlib

    note, line = ask(witness, world(), 5)
    name = hashlib.sha256(ORIGIN.encode()).hexdigest()
    shown = read_note(witness.head(name))
    assert (note.text, [*note.signatures, line]) == (shown.text, list(shown.signatures))
    assert witness.head("0" * 64) is None


def test_a_log_that_was_cut_back_is_not_signed(witness):
    """The forger says that it is new; the witness says what it has seen."""
    made = world()
    ask(witness, made, 9)
    assert (409, 9) == refused(witness, made, 5)
    assert (400, None) == refused(witness, made, 5, old=9)


def test_another_history_of_the_same_or_a_greater_size_is_not_signed(witness):
    """E1: a split view."""
    made, other = world("HELD", "HELD", "HELD"), world("HELD", "BROKEN", "HELD")
    ask(witness, made, 9)
    assert (422, None) == refused(witness, other, 9, old=9, proof=[])
    assert (422, None) == refused(witness, other, 13, old=9)
    note, _ = ask(witness, made, 13, old=9)
    assert 13 == checkpoint_of(note).size


def test_it_remembers_after_a_restart(witness):
    made = world()
    ask(witness, made, 9)
    again = replace(witness)
    assert (409, 9) == refused(again, made, 5)
    assert witness.vkey() == again.vkey()


def test_a_log_that_it_does_not_know_is_not_signed(witness):
    made = world()
    made.origin = "example.com/other"
    assert (404, None) == refused(witness, made, 5, note=made.head((), size=5))


@pytest.mark.parametrize("forge", [
    lambda note: Note(note.text, [signed(note.text, ORIGIN, key_of("stranger"))]),
    lambda note: Note(note.text, world("BROKEN").head(()).signatures)])
def test_a_head_that_the_log_has_not_signed_is_not_signed(witness, forge):
    made = world()
    assert (403, None) == refused(witness, made, 13, note=forge(made.head(())))


@pytest.mark.parametrize("body", [
    b"", b"\xff", b"old 1\n\nx", b"old 01\n\n" + str(world().head(())).encode(),
    b"new 0\n\n" + str(world().head(())).encode(),
    b"old 0\n!\n\n" + str(world().head(())).encode(),
    written(0, [bytes(32)] * 64, str(world().head(())))])
def test_what_is_no_request_is_refused(body):
    with pytest.raises(Refusal) as raised:
        asked(body)
    assert 400 == raised.value.status


def test_a_proof_where_none_is_needed_proves_nothing(witness):
    made = world()
    assert (422, None) == refused(witness, made, 5, proof=[bytes(32)])


def test_an_empty_log_has_one_root_only(witness):
    made = world()
    empty = head([], made.clock, ())
    assert EMPTY == checkpoint_of(empty).root
    ask(witness, made, 0)
    text = f"{ORIGIN}\n0\n{'A' * 43}=\n"
    note = Note(text, [signed(text, ORIGIN, KEYS[Role.LOG])])
    assert (422, None) == refused(witness, made, 0, note=note)


def test_a_key_that_others_can_read_is_refused(witness):
    witness.vkey()
    (witness.folder / "witness.pem").chmod(0o644)
    with pytest.raises(EvidenceError, match="chmod 600"):
        witness.vkey()
