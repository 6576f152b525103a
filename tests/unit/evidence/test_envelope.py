"""DSSE envelopes."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical
from holdfast.evidence.envelope import (
    LIMIT,
    STATEMENT_TYPE,
    is_signed,
    pae,
    read,
    seal,
    statement_of,
)
from holdfast.evidence.keys import new_key, private_key, public_key
from holdfast.model.record import Statement

STATEMENT = Statement("https://holdfast.dev/evidence/plan/v1", {"a.json": "ab" * 32}, {"n": 1})
KEY = private_key(new_key())


def test_the_encoding_is_that_of_the_specification():
    assert b"DSSEv1 29 http://example.com/HelloWorld 11 hello world" == pae(
        "http://example.com/HelloWorld", b"hello world")


def test_what_was_signed_is_read_back():
    envelope = read(seal(STATEMENT, KEY))
    assert (True, STATEMENT) == (is_signed(envelope, KEY.public_key()), statement_of(envelope))


def test_another_type_of_payload_breaks_the_signature():
    """The type is signed too, so that bytes cannot be passed off as something else."""
    parts = json.loads(seal(STATEMENT, KEY)) | {"payloadType": "text/plain"}
    assert not is_signed(read(canonical(parts)), KEY.public_key())


def test_a_record_too_large_for_a_log_is_refused():
    with pytest.raises(EvidenceError, match=str(LIMIT)):
        seal(Statement("t", {}, {"x": "y" * LIMIT}), KEY)


@pytest.mark.parametrize("content", [
    b"", b"[]", b"{}", b'{"payloadType":"t","payload":"!","signatures":[{"keyid":"k","sig":""}]}',
    b'{"payloadType":"t","payload":"","signatures":[]}', b"[" * 60_000,
    pytest.param(b'{"payload":"QR==","payloadType":"t","signatures":[{"keyid":"k","sig":""}]}',
                 id="base64-in-another-form"),
    pytest.param(b'{"payload":"QQ==","payloadType":"t","payloadType":"u",'
                 b'"signatures":[{"keyid":"k","sig":""}]}', id="a-key-twice"),
])
def test_what_is_no_envelope_is_refused(content):
    with pytest.raises(EvidenceError):
        read(content)


_HEAD = b'"predicateType":"t","subject":'


@pytest.mark.parametrize("payload", [
    b"", b"[]", b"{}", b'{"_type":"x","predicate":{}}', b"\xff", b"[" * 60_000,
    *(b'{"_type":"%s","predicate":%s,%s%s}' % (STATEMENT_TYPE.encode(), said, _HEAD, subject)
      for said, subject in (
        (b'{"verdict":"BROKEN","verdict":"HELD"}', b"[]"), (b'{ "a":1}', b"[]"),
        (b'{"a":1.5}', b"[]"), (b'{"a":1e400}', b"[]"), (b'{"a":NaN}', b"[]"),
        (b'{"a":9007199254740993}', b"[]"), (b'{"a":"\\ud800"}', b"[]"),
        (b"{}", b'[{"digest":{"sha256":"a"},"name":"f"},{"digest":{"sha256":"b"},"name":"f"}]'),
    )),
])
def test_what_is_no_statement_is_refused(payload):
    parts = json.loads(seal(STATEMENT, KEY))
    parts["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(EvidenceError):
        statement_of(read(canonical(parts)))


@pytest.mark.parametrize("reader", [private_key, public_key])
def test_what_is_no_key_is_refused(reader):
    with pytest.raises(EvidenceError):
        reader(b"-----BEGIN NOTHING-----")


def test_a_payload_of_another_type_is_no_statement():
    parts = json.loads(seal(STATEMENT, KEY)) | {"payloadType": "text/plain"}
    with pytest.raises(EvidenceError, match="payload type 'text/plain'"):
        statement_of(read(canonical(parts)))


def test_only_ed25519_keys_are_taken():
    other = X25519PrivateKey.generate()
    secret = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for reader, pem in ((private_key, secret), (public_key, public)):
        with pytest.raises(EvidenceError, match="not an Ed25519 key"):
            reader(pem)
