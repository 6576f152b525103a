"""Check the log's chain, a run's part of it, and the files it speaks of. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import is_signed, read, statement_of
from holdfast.evidence.keys import key_id, public_key
from holdfast.evidence.log import GENESIS, Place, digest, place_of
from holdfast.evidence.story import check_story
from holdfast.evidence.trouble import Injection, Trouble
from holdfast.model.record import Record, Statement
from holdfast.model.run import Run, RunState


@dataclass(frozen=True, slots=True)
class Checked:
    """What `verify` found: every trouble, how much was looked at, what else is worth a note."""

    troubles: Sequence[Trouble]
    log_size: int
    records: int
    artefacts: int
    key_id: str
    notes: Sequence[str] = ()
    standing: str = ""

    @property
    def exit_code(self) -> int:
        """0 if all is well, 1 if something was changed, 3 if something is only missing."""
        if any(not t.only_missing for t in self.troubles):
            return 1
        return 3 if self.troubles else 0


def verify(
    log: Sequence[Record], run_id: str, key: bytes,
    digest_of: Callable[[str], str | None], injected: Sequence[Injection] = (),
) -> Checked:
    """Check the chain of the whole log, then what it says about one run.

    `digest_of` gives the SHA-256 in hex of an artefact as it is now, None if it is not there;
    `injected` is when faults began, by their journals.
    """
    signer = public_key(key)
    troubles, statements = _check_log(log, signer)
    own = {i: s for i, s in statements.items() if _is_of(s, run_id)}
    story = check_story(own, run_id, injected)
    files = [t for name, wanted in story.files.items() if (t := _file(name, wanted, digest_of))]
    return Checked(
        [*troubles, *story.troubles, *files], len(log), len(own), len(story.files),
        key_id(signer), story.notes, story.standing,
    )


def compared(checked: Checked, run_id: str, run: Run | None) -> Checked:
    """Hold the books' row of the run against its latest signed result."""
    if not checked.records:
        return checked
    signed = checked.standing
    if signed and run is not None and run.state is RunState.STARTED and run.verdict is None:
        note = f"the books have no verdict yet, the latest signed result says {signed}"
        return replace(checked, notes=[*checked.notes, note])
    wrong = _unlike_the_books(signed, run_id, run)
    return checked if wrong is None else replace(checked, troubles=[*checked.troubles, wrong])


def _unlike_the_books(signed: str, run_id: str, run: Run | None) -> Trouble | None:
    if run is None:
        return Trouble("E_VERDICT", run_id, "the run in the books", "none", "its row is gone")
    if signed and run.standing != signed:
        return Trouble(
            "E_VERDICT", run_id, f"{signed}, as signed", run.standing,
            "the books tell another verdict than the latest signed result",
        )
    if not signed and run.verdict is not None:
        return Trouble(
            "E_NO_RESULT", run_id, f"a signed result for the verdict {run.standing}", "none",
            "the books tell a verdict that nobody signed",
        )
    return None


def _check_log(
    log: Sequence[Record], signer: Ed25519PublicKey
) -> tuple[list[Trouble], dict[int, Statement]]:
    troubles: list[Trouble] = []
    statements: dict[int, Statement] = {}
    expected, previous = 0, GENESIS
    last: Place | None = None
    for record in log:
        if record.index != expected:
            troubles.append(Trouble(
                "E_ENTRY_MISSING", f"record {expected}", f"record {expected}",
                f"record {record.index}", "records were taken out of the middle of the log",
            ))
        try:
            _check_types(record)
            statement = _genuine(record, signer, troubles)
            place = _placed(record, statement, troubles)
        except EvidenceError as error:
            where = f"record {record.index}"
            wrong = Trouble("E_MALFORMED", where, "an envelope", str(error), "it was edited")
            troubles.append(wrong)
        else:
            statements[record.index] = statement
            if place:
                troubles += _chained(record, place, previous, last)
                last = place
        expected, previous = record.index + 1, _name(record.envelope)
    return troubles, statements


def _check_types(record: Record) -> None:
    """The database holds values of any type in any column."""
    for name in ("run_id", "predicate_type", "recorded_at", "previous", "envelope"):
        value, wanted = getattr(record, name), bytes if name == "envelope" else str
        if not isinstance(value, wanted):
            raise EvidenceError(f"{type(value).__name__} as {name}")


def _name(envelope: object) -> str:
    """Name a record for its successor; what is no bytes has no name."""
    return digest(envelope) if isinstance(envelope, bytes) else "none"


def _genuine(record: Record, signer: Ed25519PublicKey, troubles: list[Trouble]) -> Statement:
    envelope = read(record.envelope)
    where, wanted = f"record {record.index}", key_id(signer)
    if envelope.key_id != wanted:
        troubles.append(Trouble(
            "E_UNTRUSTED_SIGNER", where, f"key {wanted[:16]}", f"key {envelope.key_id[:16]}",
            "somebody else signed it",
        ))
    elif not is_signed(envelope, signer):
        troubles.append(Trouble(
            "E_BAD_SIGNATURE", where, f"a signature by key {wanted[:16]}", "another",
            "the record was changed after it was signed",
        ))
    return statement_of(envelope)


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


def _chained(record: Record, place: Place, previous: str, last: Place | None) -> list[Trouble]:
    where = f"record {record.index}"
    troubles = []
    if place.previous != previous:
        troubles.append(Trouble(
            "E_CHAIN", where, f"predecessor {place.previous[:16]}", f"predecessor {previous[:16]}",
            "the record before it was changed, replaced or taken out",
        ))
    if last and last.boot_id == place.boot_id and place.boottime_ms < last.boottime_ms:
        troubles.append(Trouble(
            "E_BACKDATED", where, f"after {last.recorded_at}", place.recorded_at,
            "it claims to be older than the record before it",
        ))
    return troubles


def _is_of(statement: Statement, run_id: str) -> bool:
    log = statement.predicate.get("log")
    return isinstance(log, Mapping) and log.get("run_id") == run_id


def _file(name: str, wanted: str, digest_of: Callable[[str], str | None]) -> Trouble | None:
    found = digest_of(name)
    if found is None:
        return Trouble(
            "E_ARTEFACT_MISSING", name, f"sha256:{wanted[:16]}", "no such file",
            "a file of the run is gone",
        )
    if found != wanted:
        return Trouble(
            "E_ARTEFACT_MISMATCH", name, f"sha256:{wanted[:16]}", f"sha256:{found[:16]}",
            "the file is not the one that was signed",
        )
    return None
