"""A node's own settings, kept outside its data directory while pg_rewind writes over them."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_NAMES = (
    "postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf", "postmaster.opts",
)


def keep(folder: Path, kept: Path) -> Mapping[str, bytes]:
    """The node's own files: as they were kept before an earlier rewind, else as they are now.

    A disk that is full keeps nothing and is no reason to leave the node as it is.
    """
    if kept.is_dir():
        return _read(kept)
    own = _read(folder)
    try:
        _keep(own, kept)
    except OSError:
        forget(_unfinished(kept))
    return own


def restore(folder: Path, own: Mapping[str, bytes]) -> None:
    """Put files into the data directory, its owner's alone, on disk before it returns."""
    owner = folder.stat()
    for name, content in own.items():
        _write(folder / name, content)
        os.chown(folder / name, owner.st_uid, owner.st_gid)


def forget(kept: Path) -> None:
    """Keep them no longer."""
    shutil.rmtree(kept, ignore_errors=True)


def _read(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in _NAMES if (folder / name).exists()}


def _keep(own: Mapping[str, bytes], kept: Path) -> None:
    """All of them are on disk before `kept` is there."""
    unfinished = _unfinished(kept)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget(unfinished)
    unfinished.mkdir(mode=0o700)
    for name, content in own.items():
        _write(unfinished / name, content)
    _sync(unfinished)
    unfinished.rename(kept)
    _sync(kept.parent)


def _unfinished(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.new")


def _write(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
