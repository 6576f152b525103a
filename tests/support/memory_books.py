"""Books, artefacts, notary and notifier in memory."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.errors import EvidenceError
from holdfast.model.record import Record, Role, Statement
from holdfast.model.run import Artefact, Entry, EntryKind, Notice, Run, RunState


@dataclass
class MemoryBooks:
    """Books that forget everything at the end of the test."""

    kept: dict[str, Run] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def open_run(self, run: Run) -> None:
        self.kept.setdefault(run.id, run)

    def close_run(self, run: Run) -> None:
        self.kept[run.id] = run

    def run(self, run_id: str) -> Run | None:
        return self.kept.get(run_id)

    def runs(self, limit: int = 50) -> Sequence[Run]:
        return list(reversed(self.kept.values()))[:limit]

    def going(self) -> Sequence[Run]:
        return [r for r in reversed(self.kept.values()) if r.state is RunState.STARTED]

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)

    def read(self, run_id: str, kind: EntryKind | None = None) -> Sequence[Entry]:
        latest: dict[tuple[str, str, str], Entry] = {}
        for entry in self.entries:
            if entry.run_id == run_id and kind in (None, entry.kind):
                key = (entry.kind, entry.experiment, entry.name)
                latest.pop(key, None)
                latest[key] = entry
        return list(latest.values())


@dataclass
class FolderArtefacts:
    """Artefacts as plain files below a folder of the test."""

    folder: Path
    kept: dict[tuple[str, str], Artefact] = field(default_factory=dict)

    def put(self, run_id: str, name: str, content: bytes, media_type: str) -> Artefact:
        artefact = Artefact(
            name, "sha256:" + hashlib.sha256(content).hexdigest(), len(content), media_type,
            f"{run_id}/{name}",
        )
        self.path(artefact).parent.mkdir(parents=True, exist_ok=True)
        self.path(artefact).write_bytes(content)
        self.kept[run_id, name] = artefact
        return artefact

    def path(self, artefact: Artefact) -> Path:
        return self.folder / artefact.path

    def of(self, run_id: str) -> Sequence[Artefact]:
        return [a for (run, _), a in sorted(self.kept.items()) if run == run_id]


@dataclass
class MemoryNotary:
    """A log without signatures: envelopes are plain JSON; `broken` is why it refuses to write."""

    log: list[Record] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    broken: str = ""

    def append(self, run_id: str, statement: Statement, *, may_wait: bool = False) -> Record:
        if self.broken:
            raise EvidenceError(self.broken)
        _only_whole_numbers(statement.predicate)
        envelope = json.dumps(
            {"subjects": dict(statement.subjects), "predicate": statement.predicate}, sort_keys=True
        ).encode()
        previous = hashlib.sha256(self.log[-1].envelope).hexdigest() if self.log else ""
        record = Record(
            len(self.log), run_id, statement.predicate_type, "2026-01-01T00:00:00+00:00",
            previous, envelope,
        )
        self.log.append(record)
        self.statements.append(statement)
        return record

    def records(self, run_id: str | None = None) -> Sequence[Record]:
        return [r for r in self.log if run_id in (None, r.run_id)]

    def so_far(self, run_id: str) -> Sequence[Record]:
        return self.records(run_id)

    def drain(self) -> int:
        return 0

    def key_events(self) -> Sequence[bytes]:
        return []

    def rotate(self, role: Role) -> Record:
        raise EvidenceError(f"no key of the {role} here")

    def public_key(self, role: Role = Role.RUNNER) -> bytes:
        if self.broken:
            raise EvidenceError(self.broken)
        return b"-----BEGIN PUBLIC KEY-----\n"

    def sign(self, statement: Statement, role: Role) -> bytes:
        return json.dumps([role, statement.predicate_type, dict(statement.predicate)]).encode()


    def sign_head(self) -> None:
        """There is none."""


@dataclass
class MemoryLog:
    """The heads that were written down, without a tree: `(note, time, cosigned)`."""

    heads: list[tuple[str, str, bool]] = field(default_factory=list)

    def head(self, *, is_cosigned: bool = False) -> tuple[str, str]:
        found = [h for h in self.heads if h[2] or not is_cosigned]
        return found[-1][:2] if found else ("", "")

    def tile(self, level: int, number: int) -> bytes:
        return b""

    def proof(self, index: int) -> str:
        raise EvidenceError(f"no record {index}")

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        return ()

    def keep_head(self, note: str, at: str, *, is_cosigned: bool) -> None:
        self.heads.append((note, at, is_cosigned))


@dataclass
class MemoryNotifier:
    """Remembers who was told what."""

    told: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        self.told.append(notice)


def _only_whole_numbers(value: object) -> None:
    """Floats have no canonical bytes: a real notary refuses them."""
    if isinstance(value, float):
        raise EvidenceError(f"a signed statement holds no floats: {value}")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise EvidenceError(f"keys are text: {key!r}")
            _only_whole_numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _only_whole_numbers(inner)
