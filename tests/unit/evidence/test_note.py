"""Signed notes, checkpoints, proofs and cosignatures (C2SP)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import (
    Checkpoint,
    Proof,
    checkpoint_of,
    read_checkpoint,
    read_hash,
    read_proof,
)
from holdfast.evidence.note import (
    COSIGNATURE,
    ED25519,
    Note,
    cosigned,
    read_note,
    read_signature,
    read_verifier,
    signed,
    signed_at,
    verifier,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann \
x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""The example of Go's package golang.org/x/mod/sumdb/note: another implementation signed it."""
TEXT = str(Checkpoint("example.com/log", 5, bytes(32)))


def test_a_note_that_another_implementation_signed_is_genuine():
    note, peter = read_note(SAID), read_verifier(PETER)
    assert (0, PETER, SAID) == (signed_at(note, peter), str(peter), str(note))


def test_a_note_with_another_text_is_malformed():
    with pytest.raises(EvidenceError, match="not over this note"):
        signed_at(read_note(SAID.replace("problem is", "problem was")), read_verifier(PETER))


def test_a_cosignature_tells_its_time():
    witness = verifier("w1", KEY.public_key(), COSIGNATURE)
    note = Note(TEXT, [cosigned(TEXT, "w1", KEY, 1_700_000_000)])
    again = read_note(str(note).encode())
    assert (note, 1_700_000_000) == (again, signed_at(again, witness))
    assert witness == read_verifier(str(witness))


def test_of_two_cosignatures_the_later_counts():
    witness = verifier("w1", KEY.public_key(), COSIGNATURE)
    lines = [cosigned(TEXT, "w1", KEY, at) for at in (9, 7)]
    assert 9 == signed_at(Note(TEXT, lines), witness)


def test_a_cosignature_is_bound_to_its_time():
    line = cosigned(TEXT, "w1", KEY, 5)
    forged = line.value[:7] + b"\6" + line.value[8:]
    witness = verifier("w1", KEY.public_key(), COSIGNATURE)
    for value in (forged, line.value[:-1], line.value + b"x"):
        with pytest.raises(EvidenceError, match="not over this note"):
            signed_at(Note(TEXT, [type(line)("w1", line.id, value)]), witness)


def test_who_has_not_signed_has_not():
    note = Note(TEXT, [signed(TEXT, "log", KEY)])
    assert signed_at(note, verifier("log", OTHER.public_key(), ED25519)) is None
    assert signed_at(note, verifier("log", KEY.public_key(), COSIGNATURE)) is None


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\x07"])
def test_a_name_that_no_note_can_carry_is_refused(name):
    with pytest.raises(EvidenceError, match="names no key"):
        verifier(name, KEY.public_key(), ED25519)


@pytest.mark.parametrize("text", [
    "", "x", "x+00000000+", "x+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "PeterNeumann+c74f20a3+AhpcAA==", "PeterNeumann+c74f20a3+!", PETER.replace("+AR", "+AV")])
def test_what_is_no_verifier_key_is_refused(text):
    with pytest.raises(EvidenceError, match="not a verifier key"):
        read_verifier(text)


@pytest.mark.parametrize("content", [
    "", "text", "text\n\n", "text\n\nno dash\n", "text\n\n— name !\n", "text\n\n— name AAAA\n",
    "a\tb\n\n— n AAAAAAAA\n", "text\n\n— name AAAAAAAA", b"\xff\n\n",
    "t\n\n" + "— n AAAAAAA=\n" * 65])
def test_what_is_no_signed_note_is_refused(content):
    with pytest.raises(EvidenceError, match=r"not a sign|signatures; the most"):
        read_note(content)


def test_a_signature_line_reads_back():
    line = signed(TEXT, "log", KEY)
    assert line == read_signature(str(line).rstrip("\n"))


def test_a_checkpoint_reads_back():
    note = Note(TEXT, [signed(TEXT, "example.com/log", KEY)])
    assert (Checkpoint("example.com/log", 5, bytes(32)), note) == read_checkpoint(str(note))


@pytest.mark.parametrize("text", [
    "log\n5\n", "\n5\nAAAA\n", "log\n05\nAAAA\n", "log\nx\nAAAA\n", "log\n5\nAAAA\nmore\n",
    "log\n5\n!\n", "log\n5\nAAAA\n"])
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(EvidenceError, match=r"not a checkpoint|not a hash|a hash of"):
        checkpoint_of(Note(text, []))


def test_a_proof_reads_back():
    note = Note(TEXT, [signed(TEXT, "example.com/log", KEY)])
    for hashes in ([], [bytes(32), b"\1" * 32]):
        proof = Proof(3, hashes, note)
        assert proof == read_proof(str(proof))


@pytest.mark.parametrize("content", [
    "", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v2\nindex 1\n\nx", "index 1\n\nx",
    "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx"])
def test_what_is_no_proof_is_refused(content):
    with pytest.raises(EvidenceError):
        read_proof(content)


def test_a_hash_has_32_bytes():
    with pytest.raises(EvidenceError, match="a hash of 3 bytes"):
        read_hash("AAAA")
