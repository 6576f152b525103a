"""The books of runs, their artefacts, their signed records, and who is told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from holdfast.model.record import Record, Statement
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

    def append(self, run_id: str, statement: Statement) -> Record:
        """Sign and write durably before returning. EvidenceError if it cannot be."""

    def records(self, run_id: str | None = None) -> Sequence[Record]:
        """The log, or a run's part of it, in order."""

    def public_key(self) -> bytes:
        """The runner's public key, PEM."""


class Notifier(Protocol):
    """Tell a person."""

    def tell(self, notice: Notice) -> None:
        """Deliver, or say in the log why not; never raises."""
