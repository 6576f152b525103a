"""What a witness remembers: its key, and the last head that it has signed of each log."""

import fcntl
import hashlib
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Checkpoint, read_checkpoint
from holdfast.evidence.keys import new_key, private_key
from holdfast.evidence.note import (
    COSIGNATURE,
    Note,
    Signature,
    Verifier,
    cosigned,
    verifier,
)
from holdfast.evidence.witness import asked, judge
from holdfast.stores._files import write_durably


@dataclass(frozen=True, slots=True)
class Witness:
    """A name, a folder for key and heads, and the logs that it knows by their names."""

    name: str
    folder: Path
    logs: Mapping[str, Verifier]

    def vkey(self) -> Verifier:
        """Its verifier key, for policies."""
        return verifier(self.name, self._key().public_key(), COSIGNATURE)

    def add_checkpoint(self, body: bytes, now: datetime) -> Signature:
        """Sign a new head; Refusal with the status and why not.

        What was signed is on disk before the signature leaves: a witness that is killed has signed
        nothing that it does not remember.
        """
        request = asked(body)
        key, at = self._key(), round(now.timestamp())
        with self._alone():
            seen = self._seen(request.checkpoint.origin)
            line = judge(request, self.logs, seen,
                         lambda text: cosigned(text, self.name, key, at))
            own = [s for s in request.note.signatures
                   if s.name == request.checkpoint.origin]
            note = Note(request.note.text, [*own, line])
            write_durably(self._place(request.checkpoint.origin), str(note).encode())
        return line

    def head(self, origin_hash: str) -> bytes | None:
        """The last head signed, by the SHA-256 of the log's name in hex; None if there is none."""
        known = {hashlib.sha256(origin.encode()).hexdigest(): origin for origin in self.logs}
        place = self._place(known[origin_hash]) if origin_hash in known else None
        return place.read_bytes() if place is not None and place.exists() else None

    def _seen(self, origin: str) -> Checkpoint | None:
        place = self._place(origin)
        return read_checkpoint(place.read_bytes())[0] if place.exists() else None

    def _place(self, origin: str) -> Path:
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"

    def _key(self) -> Ed25519PrivateKey:
        path = self.folder / "witness.pem"
        if not path.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                if not path.exists():
                    write_durably(path, new_key(), 0o600)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise EvidenceError(f"others may read the witness's key {path}: chmod 600 {path}")
        return private_key(path.read_bytes())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
