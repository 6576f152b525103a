"""The books of runs, their artefacts, their signed records, and who is told."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from holdfast.model.control import Result
from holdfast.model.record import Record, Role, Statement
from holdfast.model.retrieval import Wanted
from holdfast.model.run import Artefact, Entry, EntryKind, Notice, Run


class Books(Protocol):
    """Runs and what was written about them. Append-only but for a run's end."""

    def open_run(self, run: Run) -> None:
        """Write the run down; a second time changes nothing."""

    def close_run(self, run: Run) -> None:
        """Write its state, verdict, reason and end."""

    def run(self, run_id: str) -> Run | None:
        """One run."""

    def runs(self, limit: int = 50) -> Sequence[Run]:
        """The latest runs first."""

    def going(self) -> Sequence[Run]:
        """Every run that has not ended, the latest first."""

    def write(self, entry: Entry) -> None:
        """Append."""

    def read(self, run_id: str, kind: EntryKind | None = None) -> Sequence[Entry]:
        """Entries in order of writing.

        Of those with the same kind, experiment and name only the latest.
        """


class Artefacts(Protocol):
    """Files that runs leave behind."""

    def put(self, run_id: str, name: str, content: bytes, media_type: str) -> Artefact:
        """Keep a file; the same name again replaces it."""

    def path(self, artefact: Artefact) -> Path:
        """Where it is."""

    def of(self, run_id: str) -> Sequence[Artefact]:
        """All of a run, by name."""


class Notary(Protocol):
    """The one holder of the signing key and writer of the evidence log."""

    def append(self, run_id: str, statement: Statement, *, may_wait: bool = False) -> Record:
        """Sign and write durably before returning. EvidenceError if it cannot be.

        With `may_wait` a log that is down is no error: the record waits on this host's disk, and
        its number is the one that it would have had.
        """

    def so_far(self, run_id: str) -> Sequence[Record]:
        """A run's records, with those that wait."""

    def drain(self) -> int:
        """Write what waits; say how many still do. Nothing is done where nothing waits."""

    def records(self, run_id: str | None = None) -> Sequence[Record]:
        """The log, or a run's part of it, in order."""

    def key_events(self) -> Sequence[bytes]:
        """The envelopes that announce keys, in order."""

    def rotate(self, role: Role) -> Record:
        """Put a new key in the place of a role's. EvidenceError, with nothing changed, if not."""

    def public_key(self, role: Role = Role.RUNNER) -> bytes:
        """The public key of a role, PEM."""

    def sign(self, statement: Statement, role: Role) -> bytes:
        """Sign what is no record of the log: an envelope."""

    def sign_head(self) -> None:
        """Sign the head of a log that has records of before heads were kept; else do nothing."""


class EvidenceLog(Protocol):
    """The log as a tree: its head, its tiles, and what can be proven with them."""

    def head(self, *, is_cosigned: bool = False) -> tuple[str, str]:
        """The newest checkpoint, a signed note, and when it was made; empty for an empty log.

        With `is_cosigned`, the newest that enough witnesses have signed too.
        """

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile as far as there are; empty if there is none."""

    def proof(self, index: int) -> str:
        """Prove that a record is in the log, by its newest head: a tlog-proof."""

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the log of `new` records begins with that of `old`."""

    def keep_head(self, note: str, at: str, *, is_cosigned: bool) -> None:
        """Write down a checkpoint that witnesses have signed too."""


class Shown(Protocol):
    """What results show of controls, found without reading the whole log."""

    def results(self, controls: Iterable[str], service: str = "") -> Sequence[Result]:
        """What the newest results say of controls, by name; of one service, where it is named."""

    def services(self) -> Sequence[str]:
        """Every service that a result tells of."""

    def rebuild(self) -> None:
        """Forget what is known, and read it from the records anew."""

    def records(self, wanted: Wanted) -> Sequence[Record]:
        """The records that are asked for, `wanted.limit` at most."""

    def suites(self) -> Sequence[str]:
        """Every suite that has a run in the books."""


class Notifier(Protocol):
    """Tell a person."""

    def tell(self, notice: Notice) -> None:
        """Deliver, or say in the log why not; never raises."""
