"""The signed state of the log: its name, its size, its root (C2SP tlog-checkpoint 1.0.0). Pure."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.errors import EvidenceError
from holdfast.evidence.merkle import SIZE
from holdfast.evidence.note import Note, read_note

_PROOF = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's first `size` records have this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """That one record is in the log: its number, the way up, and the checkpoint (a note)."""

    index: int
    hashes: Sequence[bytes]
    checkpoint: Note

    def __str__(self) -> str:
        """Write it as C2SP tlog-proof."""
        hashes = [base64.b64encode(h).decode() for h in self.hashes]
        lines = [_PROOF, f"index {self.index}", *hashes]
        return "\n".join(lines) + "\n\n" + str(self.checkpoint)


def read_checkpoint(content: str | bytes) -> tuple[Checkpoint, Note]:
    """Read a checkpoint and the note it came in; EvidenceError if it is none."""
    note = read_note(content)
    return checkpoint_of(note), note


def checkpoint_of(note: Note) -> Checkpoint:
    """Read what a note says; EvidenceError if that is no checkpoint."""
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]):
        raise EvidenceError("not a checkpoint: a name, a size, a root, a line each")
    return Checkpoint(lines[0], int(lines[1]), read_hash(lines[2]))


def read_proof(content: str) -> Proof:
    """Read a tlog-proof; EvidenceError if it is none."""
    head, _, rest = content.partition("\n\n")
    return Proof(*read_way(head), read_note(rest))


def read_way(head: str) -> tuple[int, Sequence[bytes]]:
    """Read what stands above the checkpoint of a tlog-proof: the number, and the way up."""
    kind, number, *hashes = [*head.split("\n"), ""][:-1] if "\n" in head else ["", ""]
    match = re.fullmatch(r"index (0|[1-9][0-9]{0,15})", number)
    if kind != _PROOF or match is None:
        raise EvidenceError("not a tlog-proof: its first lines are not those of one")
    return int(match[1]), [read_hash(line) for line in hashes]


def read_hash(line: str) -> bytes:
    """Read a hash in base64; EvidenceError if it is none."""
    try:
        found = base64.b64decode(line, validate=True)
    except (ValueError, binascii.Error) as error:
        raise EvidenceError(f"not a hash: {line[:60]!r}") from error
    if len(found) != SIZE:
        raise EvidenceError(f"a hash of {len(found)} bytes")
    return found
