"""Ed25519 keys: make, read, name."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from holdfast.errors import EvidenceError


def new_key() -> bytes:
    """Make a private key: PKCS#8 PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Read a private key; EvidenceError if it is none."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EvidenceError(f"not a private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EvidenceError("not an Ed25519 key")
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Read a public key; EvidenceError if it is none."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EvidenceError(f"not a public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise EvidenceError("not an Ed25519 key")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Write a public key: SubjectPublicKeyInfo PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """Name a key by the SHA-256 of its DER form, in hex."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
