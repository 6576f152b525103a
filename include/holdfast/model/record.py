"""Signed statements about a run. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PREDICATES = "https://holdfast.dev/evidence/"
"""Prefix of the predicate types: plan/v1, approval/v1, run-start/v1, result/v1, report/v1,
key-event/v1, and of what goes with a bundle, export/v1."""


class Role(StrEnum):
    """What a key signs: one key does not sign for two."""

    RUNNER = "runner"      # plans, starts, results
    APPROVER = "approver"  # what a person has answered
    LOG = "log"            # the log's checkpoints
    EXPORTER = "exporter"  # the list of what is in a bundle
    WITNESS = "witness"    # that a log has only grown


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed: an in-toto Statement v1.

    `subjects` maps a name to a SHA-256 in hex; `predicate` holds integers, strings, booleans,
    lists and maps only (durations in ms), so that its canonical bytes are the same everywhere.
    """

    predicate_type: str
    subjects: Mapping[str, str]
    predicate: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    """One signed statement in the log: a DSSE envelope (JSON bytes), chained by digest."""

    index: int
    run_id: str
    predicate_type: str
    recorded_at: str
    previous: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Tried:
    """One way in which a copy of the log was broken, and whether it was survived or found."""

    name: str
    is_well: bool
    text: str
