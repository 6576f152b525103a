"""Lines of a journal as bytes: JSON with a checksum, NUL padding behind the last."""

import json
from zlib import crc32

from holdfast.errors import EvidenceError
from holdfast.model.lease import LeaseState
from holdfast.ports.leases import Line

_KEYS = {"seq", "state", "boottime", "at", "facts", "crc"}


def as_bytes(line: Line) -> bytes:
    """One line; TypeError for a fact that JSON has no form for."""
    body = {
        "seq": line.seq, "state": line.state, "boottime": line.boottime, "at": line.at,
        "facts": dict(line.facts),
    }
    return (json.dumps(body | {"crc": _checksum(body)}) + "\n").encode()


def parse(content: bytes, where: str) -> tuple[tuple[Line, ...], int]:
    """Every whole line, and the offset behind the last."""
    lines: list[Line] = []
    end = 0
    text = content.rstrip(b"\0")
    while end < len(text):
        stop = text.find(b"\n", end)
        raw = text[end:] if stop < 0 else text[end:stop]
        line = None if stop < 0 else _line(raw, len(lines), where)
        if line is None:
            if not _has_whole_line(text[end:], where):
                break  # torn by a crash
            place = f"{where}: line {len(lines) + 1} (byte {end}) is damaged"
            raise EvidenceError(place, index=len(lines))
        lines.append(line)
        end = stop + 1
    return tuple(lines), end


def first_line(content: bytes, where: str) -> Line:
    """The first line, whatever is behind it."""
    line = _line(content.partition(b"\n")[0], 0, where)
    if line is None:
        raise EvidenceError(f"{where}: the first line is damaged", index=0)
    return line


def _has_whole_line(rest: bytes, where: str) -> bool:
    return any(_line(raw, None, where) is not None for raw in rest.split(b"\n"))


def _line(raw: bytes, seq: int | None, where: str) -> Line | None:
    """The line, or None where it is not whole or not the one expected.

    EvidenceError for a whole one that only another version of this program understands.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.keys() != _KEYS or body.pop("crc") != _checksum(body):
        return None
    if seq is not None and body["seq"] != seq:
        return None
    if body["state"] not in list(LeaseState) or not isinstance(body["facts"], dict):
        text = f"{where}: line {body['seq'] + 1} has an unknown state {body['state']!r}"
        raise EvidenceError(text, index=seq)
    return Line(**(body | {"state": LeaseState(body["state"])}))


def _checksum(body: dict[str, object]) -> str:
    return f"{crc32(json.dumps(body, sort_keys=True).encode()):08x}"
