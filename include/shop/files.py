"""Write small files so that a reader sees the old or the new content, never half of it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file at once; nobody but its owner may read it while mode 0600 is asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
    scratch.replace(path)


def write_json(path: Path, value: object, mode: int = 0o644) -> None:
    """Replace a file of JSON at once."""
    write(path, json.dumps(value, indent=2, sort_keys=True) + "\n", mode)


def read_json(path: Path) -> Any:
    """Read a file of JSON; None when there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def write_connections(path: Path, ours: Mapping[str, Mapping[str, object] | None]) -> None:
    """Set our connections and keep everybody else's; None takes one away."""
    entries: dict[str, object] = read_json(path) or {}
    for name, entry in ours.items():
        if entry is None:
            entries.pop(name, None)
        else:
            entries[name] = dict(entry)
    write_json(path, entries, mode=0o600)
