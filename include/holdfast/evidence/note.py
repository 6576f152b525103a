"""Signed notes and verifier keys (C2SP signed-note 1.0.0), and cosignatures of witnesses. Pure."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.errors import EvidenceError

ED25519, COSIGNATURE = 1, 4
"""Signature types: of a log; of a witness, with its time (C2SP tlog-cosignature 1.0.1)."""
_DASH = "\N{EM DASH}"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_ID_BYTES, _TIME_BYTES, _SIGNATURE_BYTES = 4, 8, 64
_MOST_SIGNATURES = 64


@dataclass(frozen=True, slots=True)
class Verifier:
    """Who may sign a note: a name, a key, and how it signs."""

    name: str
    public: bytes
    kind: int

    @property
    def id(self) -> bytes:
        """The four bytes that signatures of this key begin with."""
        named = f"{self.name}\n".encode() + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        public = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{public}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note: who, by which key, and the bytes."""

    name: str
    id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH} {self.name} {base64.b64encode(self.id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures below it; nothing about it is believed yet."""

    text: str
    signatures: Sequence[Signature]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))


def verifier(name: str, key: Ed25519PublicKey, kind: int) -> Verifier:
    """Name a key; EvidenceError for a name that no note can carry."""
    if not name or any(c.isspace() or c == "+" or ord(c) < ord(" ") for c in name):
        raise EvidenceError(f"'{name}' names no key: neither blanks nor + may be in it")
    return Verifier(name, key.public_bytes_raw(), kind)


def read_verifier(text: str) -> Verifier:
    """Read a verifier key (vkey); EvidenceError if it is none that is known here."""
    name, _, rest = text.partition("+")
    number, _, packed = rest.partition("+")
    try:
        raw = base64.b64decode(packed, validate=True)
        found = verifier(name, Ed25519PublicKey.from_public_bytes(raw[1:]), raw[0])
    except (ValueError, IndexError, binascii.Error) as error:
        raise EvidenceError(f"not a verifier key: {text[:80]!r}") from error
    if found.kind not in (ED25519, COSIGNATURE) or found.id.hex() != number:
        raise EvidenceError(f"not a verifier key for Ed25519: {text[:80]!r}")
    return found


def signed(text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    """Sign as a log does."""
    return Signature(name, verifier(name, key.public_key(), ED25519).id, key.sign(text.encode()))


def cosigned(text: str, name: str, key: Ed25519PrivateKey, at: int) -> Signature:
    """Sign as a witness does, at a time (seconds since 1970)."""
    own = verifier(name, key.public_key(), COSIGNATURE)
    value = at.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned_text(text, at))
    return Signature(name, own.id, value)


def read_note(content: str | bytes) -> Note:
    """Take a note apart; EvidenceError with what is wrong."""
    try:
        told = content.decode() if isinstance(content, bytes) else content
    except UnicodeDecodeError as error:
        raise EvidenceError("not a signed note: it is no text") from error
    text, gap, below = told.rpartition("\n\n")
    if not gap or not below.endswith("\n") or _CONTROL.search(told):
        raise EvidenceError("not a signed note: a text, an empty line, signatures")
    lines = below.removesuffix("\n").split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise EvidenceError(f"a note with {len(lines)} signatures; the most is {_MOST_SIGNATURES}")
    return Note(text + "\n", [read_signature(line) for line in lines])


def read_signature(line: str) -> Signature:
    """Read one line below a note; EvidenceError if it is no signature."""
    dash, _, rest = line.partition(" ")
    name, _, packed = rest.partition(" ")
    try:
        raw = base64.b64decode(packed, validate=True)
    except (ValueError, binascii.Error) as error:
        raise EvidenceError(f"not a signature line: {line[:80]!r}") from error
    if dash != _DASH or not name or len(raw) <= _ID_BYTES:
        raise EvidenceError(f"not a signature line: {line[:80]!r}")
    return Signature(name, raw[:_ID_BYTES], raw[_ID_BYTES:])


def signed_at(note: Note, by: Verifier) -> int | None:
    """When this key has signed the note, 0 for one that tells no time; None if it has not.

    EvidenceError if a line names the key and is no signature of it: such a note is malformed.
    """
    found = None
    for line in note.signatures:
        if (line.name, line.id) == (by.name, by.id):
            at = _signed_at(note.text, by, line.value)
            found = at if found is None else max(found, at)
    return found


def _signed_at(text: str, by: Verifier, value: bytes) -> int:
    head = _TIME_BYTES if by.kind == COSIGNATURE else 0
    at = int.from_bytes(value[:head], "big")
    message = _cosigned_text(text, at) if head else text.encode()
    try:
        if len(value) != head + _SIGNATURE_BYTES:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(by.public).verify(value[head:], message)
    except InvalidSignature as error:
        raise EvidenceError(f"the signature of {by.name} is not over this note") from error
    return at


def _cosigned_text(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
