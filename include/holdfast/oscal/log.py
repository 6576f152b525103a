"""The log that the records are from, as documents point to it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.errors import EvidenceError
from holdfast.model.control import Control
from holdfast.oscal.words import Json, props, uid

_CHECKPOINT = "../log/checkpoint"
"""Where a bundle has it, seen from the folder of the documents."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log's name, and the checkpoint under which the records are."""

    origin: str
    size: int
    root: str
    digest: str

    @property
    def resource(self) -> Json:
        """The checkpoint, as something to refer to."""
        return {
            "uuid": uid("checkpoint", self.digest),
            "title": f"Checkpoint of the evidence log at size {self.size}",
            "description": "The signed root of the log that holds every record named here.",
            "props": self.props,
            "rlinks": [rlink(_CHECKPOINT, "text/plain", self.digest)],
        }

    @property
    def props(self) -> list[Json]:
        """Its name, size and root."""
        return props(log_origin=self.origin, checkpoint_size=self.size, checkpoint_root=self.root)


@dataclass(frozen=True, slots=True)
class Basis:
    """What all documents rest on: the log, and the controls that are known, by name."""

    log: Log
    controls: Mapping[str, Control]


def read_log(origin: str, checkpoint: str, last: int) -> Log:
    """Read a checkpoint (C2SP tlog-checkpoint, a note with its signatures).

    EvidenceError if it is of another log, or record `last` is not under it.
    """
    lines = checkpoint.split("\n")
    if len(lines) < 4 or not lines[1].isdecimal() or not lines[2]:
        raise EvidenceError("not a checkpoint: a name, a size and a root, a line each")
    if lines[0] != origin:
        raise EvidenceError(f"the checkpoint is of the log '{lines[0]}', not of '{origin}'")
    size = int(lines[1])
    if last >= size:
        raise EvidenceError(f"the checkpoint is of {size} records", index=last)
    return Log(origin, size, lines[2], hashlib.sha256(checkpoint.encode()).hexdigest())


def rlink(href: str, media_type: str, digest: str) -> Json:
    """Point to a file that must have this SHA-256, in hex."""
    return {"href": href, "media-type": media_type,
            "hashes": [{"algorithm": "SHA-256", "value": digest}]}


def artefact(digest: str) -> str:
    """Where a bundle has a file of a run, by its SHA-256 in hex."""
    return f"../artifacts/{digest}"


def entry(index: int) -> str:
    """Where a bundle has a record."""
    return f"../entries/{index:06}.dsse.json"
