"""Signed statements that the log could not take: files on this host, on disk before they count."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from holdfast.errors import EvidenceError
from holdfast.stores._files import sync_folder, write_durably

_NAME = "[0-9]*.json"


@dataclass(frozen=True, slots=True)
class Spool:
    """Envelopes in the order in which they came: one file each, mode 0600, named by a number."""

    folder: Path

    def waiting(self) -> Sequence[tuple[Path, bytes]]:
        """What waits, the oldest first. EvidenceError if it cannot be read."""
        try:
            return [(path, path.read_bytes()) for path in sorted(self.folder.glob(_NAME))]
        except OSError as error:
            raise EvidenceError(f"the spool {self.folder} cannot be read: {error}") from error

    def put(self, envelope: bytes) -> None:
        """Keep one more; it is on disk when this returns. EvidenceError if that cannot be."""
        last = max((int(path.stem.partition("-")[0]) for path in self.folder.glob(_NAME)),
                   default=0)
        name = f"{last + 1:08d}-{sha256(envelope).hexdigest()[:16]}.json"
        try:
            write_durably(self.folder / name, envelope, 0o600)
        except OSError as error:
            raise EvidenceError(f"the spool {self.folder} cannot be written: {error}") from error

    def drop(self, paths: Sequence[Path]) -> None:
        """Take away what the log has acknowledged."""
        for path in paths:
            path.unlink(missing_ok=True)
        if paths:
            sync_folder(self.folder)

    def is_empty(self) -> bool:
        """Whether nothing waits; cheap."""
        return not self.folder.exists() or next(self.folder.glob(_NAME), None) is None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process away from it meanwhile."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
