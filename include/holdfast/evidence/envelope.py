"""Sign bytes in a DSSE envelope, and open one (DSSE 1.0, in-toto Statement v1)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical, read_canonical
from holdfast.evidence.keys import key_id
from holdfast.model.record import Statement

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
LIMIT = 65_535
"""The largest record, in bytes: transparency logs count lengths in 16 bits."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as it was read; nothing about it is believed yet."""

    payload_type: str
    payload: bytes
    key_id: str
    signature: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """Write the pre-authentication encoding: what the signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def payload_of(statement: Statement) -> bytes:
    """Write an in-toto Statement v1, canonically."""
    return canonical({
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in sorted(statement.subjects.items())
        ],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    })


def seal(statement: Statement, key: Ed25519PrivateKey, limit: int = LIMIT) -> bytes:
    """Sign; EvidenceError if the envelope would be larger than `limit`, by default a record's."""
    payload = payload_of(statement)
    signature = key.sign(pae(PAYLOAD_TYPE, payload))
    envelope = canonical({
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}
        ],
    })
    if len(envelope) > limit:
        raise EvidenceError(f"a record of {len(envelope)} bytes; the most is {limit}")
    return envelope


def read(envelope: bytes) -> Envelope:
    """Take an envelope apart; EvidenceError if it is none, or two readers might read two."""
    try:
        parts = read_canonical(envelope)
        (signature,) = parts["signatures"]
        return Envelope(
            payload_type=str(parts["payloadType"]),
            payload=_bytes(parts["payload"]),
            key_id=str(signature["keyid"]),
            signature=_bytes(signature["sig"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EvidenceError(f"not an envelope with one signature: {error!r}") from error


def is_signed(envelope: Envelope, key: Ed25519PublicKey) -> bool:
    """Say whether `key` signed exactly this payload as this type."""
    try:
        key.verify(envelope.signature, pae(envelope.payload_type, envelope.payload))
    except InvalidSignature:
        return False
    return True


def statement_of(envelope: Envelope) -> Statement:
    """Read the statement inside; EvidenceError if it is not an in-toto Statement v1.

    Nor may a file be in it twice, or anything be written so that two readers might read two.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EvidenceError(f"payload type '{envelope.payload_type}' is not {PAYLOAD_TYPE}")
    try:
        parts = read_canonical(envelope.payload)
        if parts["_type"] != STATEMENT_TYPE or not isinstance(parts["predicate"], Mapping):
            raise EvidenceError(f"not an in-toto statement: {parts['_type']!r}")
        subjects = {str(s["name"]): str(s["digest"]["sha256"]) for s in parts["subject"]}
        if len(subjects) != len(parts["subject"]):
            raise ValueError("a file is named twice")
        return Statement(str(parts["predicateType"]), subjects, parts["predicate"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EvidenceError(f"not an in-toto statement: {error!r}") from error


def _bytes(text: str) -> bytes:
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("base64 that could be written otherwise")
    return found
