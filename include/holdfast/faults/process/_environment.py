"""Marked lines in an environment file: NAME=VALUE, read by a service when it starts."""

import os
from collections.abc import Mapping
from pathlib import Path

from holdfast.errors import FaultError
from holdfast.faults._selector import address
from holdfast.model.fault import Fault


def file_of(fault: Fault) -> Path:
    """The service's environment file; it need not be there yet, its folder's parent must."""
    name = address(fault, "environment")
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise FaultError("environment files must lie below home", target=name)
    file = Path(fault.home) / name
    if not file.parent.parent.is_dir():
        raise FaultError("there is no folder for this environment file", target=name)
    return file


def names(file: Path) -> set[str]:
    """The names the file sets."""
    return {line.partition("=")[0].strip() for line in _lines(file) if not line.startswith("#")}


def is_marked(file: Path, lease_id: str) -> bool:
    """Whether lines of this lease are there."""
    return any(line in (_begin(lease_id), _end(lease_id)) for line in _lines(file))


def add(file: Path, lease_id: str, values: Mapping[str, str]) -> None:
    """Append the values between two marks, once."""
    if is_marked(file, lease_id):
        return
    own = [_begin(lease_id), *(f"{name}={value}" for name, value in values.items()),
           _end(lease_id)]
    _write(file, [*_lines(file), *own])


def remove(file: Path, lease_id: str) -> None:
    """Take the marked lines out; a file that held nothing else goes too."""
    if not is_marked(file, lease_id):
        return
    kept, inside = list[str](), False
    for line in _lines(file):
        inside |= line == _begin(lease_id)
        if not inside:
            kept.append(line)
        inside &= line != _end(lease_id)
    if kept:
        _write(file, kept)
    else:
        file.unlink(missing_ok=True)


def _begin(lease_id: str) -> str:
    return f"# holdfast {lease_id}: begin"


def _end(lease_id: str) -> str:
    return f"# holdfast {lease_id}: end"


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except FileNotFoundError:
        return []


def _write(file: Path, lines: list[str]) -> None:
    """Replace the file at once: a service that starts now reads all of it or nothing."""
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text("".join(f"{line}\n" for line in lines))
    fresh.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
    fresh.replace(file)
