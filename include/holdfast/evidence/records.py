"""Check records one by one, and that each follows the one before. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import Envelope, is_signed, read, statement_of
from holdfast.evidence.log import GENESIS, Place, digest, place_of
from holdfast.evidence.roles import Roles, role_of
from holdfast.evidence.trouble import Trouble
from holdfast.model.record import Record, Role, Statement

SLACK = timedelta(minutes=5)
"""How far the dates of two machines may be apart."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Every trouble, and the statements that could be read, by number."""

    troubles: Sequence[Trouble]
    statements: Mapping[int, Statement]


def check_records(log: Sequence[Record], roles: Roles, first: int = 0) -> Checked:
    """Check a log from record `first` on, in order of their numbers."""
    troubles: list[Trouble] = []
    statements: dict[int, Statement] = {}
    expected, previous = first, GENESIS if first == 0 else ""
    last: Place | None = None
    newest: datetime | None = None
    for record in log:
        if record.index != expected:
            troubles.append(Trouble(
                "E_ENTRY_MISSING", f"record {expected}", f"record {expected}",
                f"record {record.index}", "records were taken out of the middle of the log",
            ))
        try:
            _check_types(record)
            statement = _genuine(record, roles, troubles)
            place = _placed(record, statement, troubles)
        except EvidenceError as error:
            where = f"record {record.index}"
            wrong = Trouble("E_MALFORMED", where, "an envelope", str(error), "it was edited")
            troubles.append(wrong)
        else:
            statements[record.index] = statement
            if place:
                troubles += _chained(record, place, previous)
                troubles += _dated(record, place, last, newest)
                last, newest = place, max(newest or place.moment, place.moment)
        expected, previous = record.index + 1, _name(record.envelope)
    return Checked(troubles, statements)


def _check_types(record: Record) -> None:
    """The database holds values of any type in any column."""
    for name in ("run_id", "predicate_type", "recorded_at", "previous", "envelope"):
        value, wanted = getattr(record, name), bytes if name == "envelope" else str
        if not isinstance(value, wanted):
            raise EvidenceError(f"{type(value).__name__} as {name}")


def _name(envelope: object) -> str:
    """Name a record for its successor; what is no bytes has no name."""
    return digest(envelope) if isinstance(envelope, bytes) else "none"


def _genuine(record: Record, roles: Roles, troubles: list[Trouble]) -> Statement:
    envelope = read(record.envelope)
    statement = statement_of(envelope)
    troubles += _signed(f"record {record.index}", envelope, statement, roles)
    return statement


def _signed(
    where: str, envelope: Envelope, statement: Statement, roles: Roles
) -> Sequence[Trouble]:
    """Whether a key of the right role has signed it while it was valid."""
    role = role_of(statement.predicate_type)
    known = roles.of(role)
    key = known.get(envelope.key_id)
    if key is None:
        wanted = ", ".join(name[:16] for name in known) or "none is known"
        return [Trouble(
            "E_UNTRUSTED_SIGNER", where, f"a key of the {role}: {wanted}",
            f"key {envelope.key_id[:16]}", "somebody else signed it",
        )]
    if not is_signed(envelope, key.public):
        return [Trouble(
            "E_BAD_SIGNATURE", where, f"a signature by key {key.id[:16]}", "another",
            "the record was changed after it was signed",
        )]
    place = place_of(statement)
    if role is Role.APPROVER and key.identity:
        by = str(statement.predicate.get("by", ""))
        if by.strip().casefold() != key.identity.casefold():
            return [Trouble("E_APPROVER_IDENTITY", where, key.identity, by or "nobody",
                            "the key is another person's than the name")]
    if place is not None and not key.is_valid_at(place.moment):
        return [Trouble(
            "E_KEY_NOT_VALID_AT_TIME", where, f"a time at which key {key.id[:16]} is valid",
            place.recorded_at, "its key was not valid yet, or no longer",
        )]
    return []


def _placed(record: Record, statement: Statement, troubles: list[Trouble]) -> Place | None:
    """Compare what the database says beside the envelope with what was signed."""
    where, place = f"record {record.index}", place_of(statement)
    if place is None:
        wrong = Trouble("E_NO_PLACE", where, "its place in the log", "none", "it is no record")
        troubles.append(wrong)
        return None
    if place.index != record.index:
        troubles.append(Trouble(
            "E_REORDERED", where, f"the record signed as {record.index}",
            f"the record signed as {place.index}", "records were put in another order",
        ))
    beside = (record.run_id, record.predicate_type, record.recorded_at, record.previous)
    signed = (place.run_id, statement.predicate_type, place.recorded_at, place.previous)
    if beside != signed:
        troubles.append(Trouble(
            "E_ROW_MISMATCH", where, " ".join(signed), " ".join(beside),
            "the database row was changed beside its envelope",
        ))
    return place


def _chained(record: Record, place: Place, previous: str) -> Iterator[Trouble]:
    if previous and place.previous != previous:
        yield Trouble(
            "E_CHAIN", f"record {record.index}", f"predecessor {place.previous[:16]}",
            f"predecessor {previous[:16]}",
            "the record before it was changed, replaced or taken out",
        )


def _dated(
    record: Record, place: Place, last: Place | None, newest: datetime | None
) -> Iterator[Trouble]:
    """By the clock since boot where both have the same, and by all dates before it, loosely."""
    went_back = last is not None and last.boot_id == place.boot_id and (
        place.boottime_ms < last.boottime_ms)
    if newest is not None and (went_back or place.moment < newest - SLACK):
        yield Trouble(
            "E_BACKDATED", f"record {record.index}", f"after {newest.isoformat()}",
            place.recorded_at, "it claims to be older than a record before it",
        )
