"""Make a copy of a certificate that has expired, by the same authority and for the same key."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.clients.haproxy import Door
from holdfast.errors import FaultError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_OURS = int.from_bytes(b"HOLD", "big")
_DIGITS = 15
_LASTED = timedelta(days=90)
_SINCE = timedelta(days=1)


def serial_of(lease_id: str) -> int:
    """The mark: a serial number made of the lease id."""
    digest = hashlib.sha256(lease_id.encode()).digest()[:_DIGITS]
    return (_OURS << 8 * _DIGITS) + int.from_bytes(digest, "big")


def is_marked(serial: int) -> bool:
    """Whether a lease, ours or another one, has made the certificate."""
    return serial >> 8 * _DIGITS == _OURS


def expired(door: Door, serial: int) -> str:
    """PEM of the door's certificate, over since yesterday, with its key as HAProxy takes it.

    Without the authority's key it is signed with its own: a client then refuses it for the
    signature too.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    text = _read(door.certificate, door.target)
    try:
        certificate, *chain = x509.load_pem_x509_certificates(text)
        key = serialization.load_pem_private_key(text, None)
        signer = _signer(door, key)
    except (ValueError, TypeError) as error:
        text_of = f"{door.certificate} holds no certificate with a key that can be read: {error}"
        raise FaultError(text_of, target=door.target) from error
    over = certificate.not_valid_before_utc - _SINCE
    builder = (
        x509.CertificateBuilder().subject_name(certificate.subject)
        .issuer_name(certificate.issuer).public_key(certificate.public_key())
        .serial_number(serial).not_valid_before(over - _LASTED).not_valid_after(over)
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    made = builder.sign(signer, hashes.SHA256())
    return b"".join([
        made.public_bytes(serialization.Encoding.PEM),
        *(c.public_bytes(serialization.Encoding.PEM) for c in chain),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    ]).decode()


def original(door: Door) -> str:
    """PEM of the door's own file."""
    return _read(door.certificate, door.target).decode()


def seen(door: Door) -> "Certificate":
    """The certificate that a client gets now."""
    from cryptography import x509

    return x509.load_der_x509_certificate(door.served())


def _signer(door: Door, own: Any) -> Any:
    from cryptography.hazmat.primitives import serialization

    if not door.authority_key:
        return own
    return serialization.load_pem_private_key(_read(door.authority_key, door.target), None)


def _read(file: str, target: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise FaultError(f"{file} cannot be read: {error.strerror}", target=target) from error
