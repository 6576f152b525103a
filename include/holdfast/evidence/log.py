"""The chain: where in the log a statement stands is part of what is signed."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from holdfast.model.record import Statement

GENESIS = hashlib.sha256(b"holdfast evidence log").hexdigest()
"""What the first record names as its predecessor."""
_YEARS = range(1970, 9000)  # a date beyond them can be compared with none


@dataclass(frozen=True, slots=True)
class Place:
    """A record's place: number, predecessor's digest, run, and the time on two clocks."""

    index: int
    previous: str
    run_id: str
    recorded_at: str
    boottime_ms: int
    boot_id: str

    @property
    def moment(self) -> datetime:
        """When it was recorded."""
        return datetime.fromisoformat(self.recorded_at)


def digest(envelope: bytes) -> str:
    """Name a record: the SHA-256 of its envelope, in hex."""
    return hashlib.sha256(envelope).hexdigest()


def placed(statement: Statement, place: Place) -> Statement:
    """Put the place into the statement, as `log`."""
    log = asdict(place)
    return replace(statement, predicate={**statement.predicate, "log": log})


def place_of(statement: Statement) -> Place | None:
    """Read the place back; None if the statement has none."""
    log = statement.predicate.get("log")
    if not isinstance(log, Mapping) or set(log) != {f.name for f in fields(Place)}:
        return None
    numbers = ("index", "boottime_ms")
    if not all(isinstance(v, int if k in numbers else str) for k, v in log.items()):
        return None
    place = Place(**log)
    try:
        moment = place.moment
    except ValueError:
        return None
    return place if moment.tzinfo is not None and moment.year in _YEARS else None
