"""What in the state folder is Holdfast's own, and never a suite's to read, change or hit."""

from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import PurePosixPath

_OWN = (
    "id", "live.db*", "books.db*", "stops.jsonl", "HOLD", "connections.json", "notices.jsonl",
    "airflow", "artefacts", "journal", "keys", "samples", "workloads", "exports",
    "trust",
)
_AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer")
_PID_FILES = (
    *(("airflow", "run", f"{name}.pid") for name in (*_AIRFLOW, "supervisor")),
    ("journal", "0.pid"),
    ("shop", "run", "prometheus.pid"),
)
_NAMES = frozenset(f"{name}.pid" for name in (*_AIRFLOW, "prometheus"))


def is_own_path(path: str) -> bool:
    """Whether a path below the state folder is ours, or the folder itself."""
    first = PurePosixPath(path).parts[:1]
    return not first or any(fnmatchcase(first[0], own) for own in _OWN)


def is_own_process(pattern: str) -> bool:
    """Whether a pattern of pid files names a keeper's, Airflow's or the guard's Prometheus's.

    A plain name of such a file counts in any folder, a pattern only where such files lie.
    """
    every = PurePosixPath(pattern).parts
    parts = tuple(p for p, after in pairwise((*every, "")) if not p == after == "**")
    return (
        is_own_path(pattern) or parts[-1] in _NAMES
        or any(_covers(parts, file) for file in _PID_FILES)
    )


def _covers(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """As `Path.glob` reads a pattern: `**` is any number of folders."""
    if not pattern or not path:
        return not path and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return any(_covers(pattern[1:], path[number:]) for number in range(len(path) + 1))
    return fnmatchcase(path[0], pattern[0]) and _covers(pattern[1:], path[1:])
