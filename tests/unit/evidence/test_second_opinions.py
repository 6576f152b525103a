"""Other people's code says the same of what we sign, and we of what theirs signs (E1).

securesystemslib 1.6 (in-toto's own) for DSSE; proofbundle 6.3 for RFC 6962 trees, C2SP checkpoints,
cosignatures and tlog-proofs.
"""

import json
import random

import pytest
from proofbundle import checkpoint, merkle, tlogproof
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical
from holdfast.evidence.checkpoint import Proof, checkpoint_of, read_proof
from holdfast.evidence.envelope import PAYLOAD_TYPE, is_signed, payload_of, read, seal, statement_of
from holdfast.evidence.head import tree
from holdfast.evidence.merkle import consistency, inclusion, is_consistent, leaf_hash, root
from holdfast.evidence.note import COSIGNATURE, ED25519, Note, read_note, signed_at, verifier
from holdfast.model.record import Role, Statement
from support.bundles import KEYS, ORIGIN, WITNESSES, world

RUNNER = KEYS[Role.RUNNER]
STATEMENT = Statement("https://example.com/x/v1", {"a": "0" * 64}, {"name": "Ünïcødé", "n": [1, 2]})
LOG = verifier(ORIGIN, KEYS[Role.LOG].public_key(), ED25519)
SEEN_BY = {name: verifier(name, key.public_key(), COSIGNATURE) for name, key in WITNESSES.items()}
SIZES = sorted({*range(1, 35), 63, 64, 65, 127, 128, 129, 255, 256, 257})
RANDOM = random.Random(7)


def theirs(content: bytes) -> Envelope:
    return Envelope.from_dict(json.loads(content))


def key_of(private) -> SSlibKey:
    return SSlibKey.from_crypto(private.public_key())


def renamed(envelope: Envelope, key: SSlibKey) -> Envelope:
    """It matches signatures to keys by its own way of naming them (its issue 416)."""
    (signature,) = envelope.signatures.values()
    signature.keyid = key.keyid
    return Envelope(envelope.payload, envelope.payload_type, {key.keyid: signature})


def test_securesystemslib_verifies_every_record_of_ours():
    for record in world().batch.records:
        role = Role.APPROVER if "approval" in record.predicate_type else Role.RUNNER
        key, other = key_of(KEYS[role]), key_of(KEYS[Role.LOG])
        envelope = renamed(theirs(record.envelope), key)
        assert [key.keyid] == list(envelope.verify([key], 1))
        with pytest.raises(VerificationError):
            renamed(theirs(record.envelope), other).verify([other], 1)
        envelope.payload += b" "
        with pytest.raises(VerificationError):
            envelope.verify([key], 1)


def test_we_verify_what_securesystemslib_signs():
    envelope = Envelope(payload_of(STATEMENT), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(RUNNER))
    told = read(canonical(envelope.to_dict()))
    assert (True, False) == (is_signed(told, RUNNER.public_key()),
                             is_signed(told, KEYS[Role.LOG].public_key()))
    assert STATEMENT == statement_of(told)
    assert envelope.pae() == b"DSSEv1 %d %b %d %b" % (
        len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(told.payload), told.payload)
    ours = theirs(seal(STATEMENT, RUNNER))
    (mine,), (other,) = (e.signatures.values() for e in (ours, envelope))
    assert mine.signature == other.signature  # Ed25519 has one signature for one text


def leaves(size: int) -> list[bytes]:
    return [b"entry %d" % n for n in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_trees_and_proofs_are_those_of_proofbundle(size):
    data = leaves(size)
    ours = tree([leaf_hash(d) for d in data])
    top = root(size, ours)
    assert merkle.merkle_tree_hash(data) == top
    for index in {0, size - 1, size // 2, RANDOM.randrange(size)}:
        proof = inclusion(index, size, ours)
        assert merkle.inclusion_proof(data, index) == proof
        assert merkle.verify_inclusion(data[index], index, size, proof, top)
        assert not merkle.verify_inclusion(b"another", index, size, proof, top)
    for old in {1, size, (size + 1) // 2, RANDOM.randint(1, size)}:
        proof, before = consistency(old, size, ours), root(old, ours)
        assert merkle.consistency_proof(data, old) == proof
        assert merkle.verify_consistency(old, size, proof, before, top)
        assert is_consistent((old, before), (size, top), merkle.consistency_proof(data, old))


def proofs():
    """Every record of a log, with what proves it, and its head seen by two witnesses."""
    made = world()
    entries = [r.envelope for r in made.batch.records]
    complete, note = tree([leaf_hash(e) for e in entries]), made.head(("w1", "w2"))
    return [(entry, str(Proof(n, inclusion(n, len(entries), complete), note)))
            for n, entry in enumerate(entries)]


def test_proofbundle_verifies_our_tlog_proofs_with_two_of_three_witnesses():
    vkeys = [str(v) for v in SEEN_BY.values()]
    for index, (entry, text) in enumerate(proofs()):
        told = tlogproof.verify_tlog_proof(
            text, entry, str(LOG), vkeys, threshold=2, expected_origin=ORIGIN)
        assert (True, index) == (told["ok"], told["index"]), told
        for wrong in (
            tlogproof.verify_tlog_proof(text, entry, str(LOG), vkeys, threshold=3),
            tlogproof.verify_tlog_proof(text, entry + b" ", str(LOG), vkeys, threshold=2),
            tlogproof.verify_tlog_proof(text, entry, vkeys[0], vkeys, threshold=0),
        ):
            assert not wrong["ok"]


def test_we_read_the_checkpoints_cosignatures_and_proofs_that_proofbundle_writes():
    data = leaves(9)
    top = merkle.merkle_tree_hash(data)
    note = checkpoint.sign_checkpoint(ORIGIN, 9, top, KEYS[Role.LOG], ORIGIN)
    note = checkpoint.cosign_checkpoint(note, WITNESSES["w1"], "w1", 1_700_000_000)
    text = tlogproof.format_tlog_proof(4, merkle.inclusion_proof(data, 4), note)
    proof = read_proof(text)
    head = checkpoint_of(proof.checkpoint)
    assert (ORIGIN, 9, top) == (head.origin, head.size, head.root)
    assert 1_700_000_000 == signed_at(proof.checkpoint, SEEN_BY["w1"])
    assert None is signed_at(proof.checkpoint, SEEN_BY["w2"])
    assert text == str(proof)
    assert signed_at(Note(proof.checkpoint.text, proof.checkpoint.signatures[:1]), LOG) is not None


def test_keys_are_named_and_written_alike():
    raw = KEYS[Role.LOG].public_key().public_bytes_raw()
    assert checkpoint.vkey(ORIGIN, raw) == str(LOG)
    for name, known in SEEN_BY.items():
        raw = WITNESSES[name].public_key().public_bytes_raw()
        assert checkpoint.cosign_vkey(name, raw) == str(known)


@pytest.mark.parametrize("change", [
    lambda text: text.replace("index 0", "index 00"), lambda text: text[:-1],
    lambda text: text.replace("\n\n", "\n", 1), lambda text: text.replace("c2sp.org/", "c2sp/", 1)])
def test_what_proofbundle_takes_for_no_proof_is_none_for_us(change):
    entry, text = proofs()[0]
    assert not tlogproof.verify_tlog_proof(change(text), entry, str(LOG))["ok"]
    with pytest.raises(EvidenceError):
        read_proof(change(text))


def test_a_changed_head_is_signed_by_nobody_for_both():
    _, text = proofs()[0]
    note = text.partition("\n\n")[2]
    size = note.split("\n")[1]
    forged = note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n", 1)
    assert not checkpoint.verify_checkpoint(forged, str(LOG))["ok"]
    with pytest.raises(EvidenceError):
        signed_at(read_note(forged), LOG)
