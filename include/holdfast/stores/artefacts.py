"""Files that runs leave behind: one folder for each run, with a list of what is in it."""

import fcntl
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.model.run import Artefact
from holdfast.stores._files import write_durably

_INDEX = ".artefacts.json"


class FileArtefacts:
    """Artefacts in `folder/<run id>/<name>`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, run_id: str, name: str, content: bytes, media_type: str) -> Artefact:
        """Keep a file; the same name again replaces it."""
        for part in (run_id, name):
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+:-]{0,250}", part):
                raise HoldfastError(f"'{part}' cannot name an artefact: letters, digits, . _ + : -")
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        artefact = Artefact(name, digest, len(content), media_type, f"{run_id}/{name}")
        with self._alone(run_id):
            write_durably(self._folder / artefact.path, content, 0o644)
            known = {a.name: a for a in self.of(run_id)} | {name: artefact}
            text = json.dumps([asdict(known[n]) for n in sorted(known)], indent=1)
            write_durably(self._folder / run_id / _INDEX, text.encode(), 0o644)
        return artefact

    def path(self, artefact: Artefact) -> Path:
        """Where it is."""
        return self._folder / artefact.path

    def of(self, run_id: str) -> Sequence[Artefact]:
        """All of a run, by name."""
        try:
            text = (self._folder / run_id / _INDEX).read_text()
        except FileNotFoundError:
            return []
        return [Artefact(**entry) for entry in json.loads(text)]

    @contextmanager
    def _alone(self, run_id: str) -> Iterator[None]:
        folder = self._folder / run_id
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
