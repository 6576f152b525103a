"""The chain: where in the log a statement stands is part of what is signed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.model.record import Statement

GENESIS = hashlib.sha256(b"holdfast evidence log").hexdigest()
"""What the first record names as its predecessor."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record's place: number, predecessor's digest, run, and the time on two clocks."""

    index: int
    previous: str
    run_id: str
    recorded_at: str
    boottime_ms: int
    boot_id: str


def digest(envelope: bytes) -> str:
    """Name a record: the SHA-256 of its envelope, in hex."""
    return hashlib.sha256(envelope).hexdigest()


def placed(statement: Statement, place: Place) -> Statement:
    """Put the place into the statement, as `log`."""
    log = {name: getattr(place, name) for name in Place.__slots__}
    return replace(statement, predicate={**statement.predicate, "log": log})


def place_of(statement: Statement) -> Place | None:
    """Read the place back; None if the statement has none."""
    log = statement.predicate.get("log")
    if not isinstance(log, Mapping) or set(log) != set(Place.__slots__):
        return None
    numbers = ("index", "boottime_ms")
    if all(isinstance(v, int if k in numbers else str) for k, v in log.items()):
        return Place(**log)
    return None
