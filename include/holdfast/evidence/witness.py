"""Judge what a log asks its witness to sign (C2SP tlog-witness 1.0.0, add-checkpoint). Pure.

A witness signs only what goes on from the last that it has signed: it catches a log that was cut
back, and one that shows different people different histories.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Checkpoint, read_checkpoint, read_hash
from holdfast.evidence.merkle import EMPTY, is_consistent
from holdfast.evidence.note import Note, Signature, Verifier, signed_at

MOST_PROOF_LINES = 63
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what the log believes the witness saw last, the proof, and the new head."""

    old: int
    proof: Sequence[bytes]
    checkpoint: Checkpoint
    note: Note


class Refusal(Exception):
    """An HTTP status, and why; `size` is what the witness saw last, where that is the answer."""

    def __init__(self, status: int, why: str, size: int | None = None) -> None:
        self.status, self.why, self.size = status, why, size
        super().__init__(why)


def asked(body: bytes) -> Asked:
    """Read a request; Refusal 400 if it is none."""
    try:
        head, gap, rest = body.decode().partition("\n\n")
        lines = head.split("\n")
        match = re.fullmatch(r"old (0|[1-9][0-9]{0,15})", lines[0])
        if not gap or match is None or len(lines) - 1 > MOST_PROOF_LINES:
            raise EvidenceError("'old SIZE', proof lines, an empty line, a checkpoint")
        checkpoint, note = read_checkpoint(rest)
        found = Asked(int(match[1]), [read_hash(line) for line in lines[1:]], checkpoint, note)
    except (EvidenceError, UnicodeDecodeError) as error:
        raise Refusal(400, f"not a request: {error}") from error
    if found.old > found.checkpoint.size:
        raise Refusal(400, f"{found.old} is more than {found.checkpoint.size}")
    return found


def written(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Write a request."""
    lines = [f"old {old}", *(base64.b64encode(part).decode() for part in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode()


def judge(
    request: Asked, logs: Mapping[str, Verifier], seen: Checkpoint | None,
    sign: Callable[[str], Signature],
) -> Signature:
    """Sign the new head, or raise Refusal; `seen` is what was signed last of this log."""
    new = request.checkpoint
    _check_log(request, logs)
    last = seen or Checkpoint(new.origin, 0, EMPTY)
    if request.old != last.size:
        raise Refusal(409, f"the last head signed here has {last.size} records", last.size)
    if new.size == 0 and new.root != EMPTY:
        raise Refusal(422, "an empty log has another root")
    if not is_consistent((last.size, last.root), (new.size, new.root), request.proof):
        raise Refusal(422, f"it does not go on from the head of {last.size} records signed here")
    return sign(request.note.text)


def _check_log(request: Asked, logs: Mapping[str, Verifier]) -> None:
    key = logs.get(request.checkpoint.origin)
    if key is None:
        raise Refusal(404, f"the log {request.checkpoint.origin} is not known here")
    try:
        if signed_at(request.note, key) is None:
            raise Refusal(403, "the log's key has not signed it")
    except EvidenceError as error:
        raise Refusal(403, str(error)) from error
