"""The keys of a deployment: a file for each role, mode 0600, made when it is first wanted."""

import fcntl
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import EvidenceError
from holdfast.evidence.keys import key_id, new_key, private_key
from holdfast.model.record import Role
from holdfast.stores._files import sync_folder, write_durably


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Private keys by role. `check_new` raises where a key has been in use and is only lost."""

    folder: Path
    check_new: Callable[[Role, Path], None]

    def private(self, role: Role) -> Ed25519PrivateKey:
        """Read the key of a role. EvidenceError, with the cure, if nobody may use it as it is."""
        path = self.folder / f"{role}.pem"
        try:
            if not path.exists():
                self._make(role, path)
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                raise EvidenceError(
                    f"others may read the signing key {path} (mode {mode:04o}): "
                    f"chmod 600 {path}, and make a new key if somebody did"
                )
            return _read(path, path.stat().st_mtime_ns, path.stat().st_ino)
        except OSError as error:
            raise EvidenceError(
                f"the signing key {path} cannot be read ({error.strerror}): "
                f"give it to the user who runs Holdfast, mode 0600"
            ) from error

    def next(self, role: Role) -> Ed25519PrivateKey:
        """The key that is to take a role's place: made now, or by a turn that was interrupted."""
        path = self._next(role)
        with _locked(path.with_suffix(".lock")):
            if not path.exists():
                write_durably(path, new_key(), 0o600)
        return private_key(path.read_bytes())

    def has_next(self, role: Role) -> bool:
        """Whether there is such a key."""
        return self._next(role).exists()

    def turn(self, role: Role) -> None:
        """Put it in place; the old one stays as `<role>-<id>.old.pem`. Twice is as once."""
        path, new = self.folder / f"{role}.pem", self._next(role)
        with _locked(new.with_suffix(".lock")):
            if not new.exists():
                return
            old = private_key(path.read_bytes()).public_key()
            if key_id(old) != key_id(private_key(new.read_bytes()).public_key()):
                kept = self.folder / f"{role}-{key_id(old)[:16]}.old.pem"
                kept.unlink(missing_ok=True)
                kept.hardlink_to(path)
            new.replace(path)
            sync_folder(self.folder)

    def _next(self, role: Role) -> Path:
        return self.folder / f"{role}.next.pem"

    def _make(self, role: Role, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path.with_suffix(".lock")):
            if not path.exists():
                self.check_new(role, path)
                write_durably(path, new_key(), 0o600)


@lru_cache(maxsize=32)
def _read(path: Path, _changed: int, _file: int) -> Ed25519PrivateKey:
    """Read a key once, as long as its file is the same."""
    return private_key(path.read_bytes())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
