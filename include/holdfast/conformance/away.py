"""Take the lease store's file away while somebody relies on it, and bring it back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_ENDS = ("", "-wal", "-shm")


def snapshot(live: Path) -> None:
    """Keep a copy of the store as it is now."""
    older = live.with_suffix(".older")
    older.unlink(missing_ok=True)
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(older)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = WAL")
    older.chmod(0o600)


@contextmanager
def gone(live: Path) -> Iterator[None]:
    """Meanwhile there is no store; afterwards it is back as it was."""
    mine = [live.with_name(live.name + end) for end in _ENDS]
    away = [file.with_name(f"{file.name}.away") for file in mine]
    for file, kept in zip(mine, away, strict=True):
        if file.exists():
            file.rename(kept)
    try:
        yield
    finally:
        for file, kept in zip(mine, away, strict=True):
            file.unlink(missing_ok=True)  # whoever looked meanwhile may have made an empty one
            if kept.exists():
                kept.rename(file)


def restore(live: Path) -> None:
    """Let the copy take the store's place: what was written since then never happened."""
    older = live.with_suffix(".older")
    for end in _ENDS[1:]:
        live.with_name(live.name + end).unlink(missing_ok=True)
    older.rename(live)
