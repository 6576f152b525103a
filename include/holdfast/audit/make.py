"""Make a bundle: from the same records, request and head always the same bytes."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from holdfast import __version__
from holdfast.audit import places
from holdfast.audit.manifest import Manifest
from holdfast.audit.oscal import oscal
from holdfast.audit.page import page
from holdfast.audit.request import Request
from holdfast.audit.told import Basis, Told, tables, tell
from holdfast.audit.words import README, witnesses
from holdfast.controls.table import read_table
from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Proof, checkpoint_of
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.head import tree
from holdfast.evidence.log import place_of
from holdfast.evidence.merkle import inclusion, leaf_hash
from holdfast.evidence.note import Note
from holdfast.evidence.tiles import grown, path_of
from holdfast.evidence.tiles import places as tile_places
from holdfast.evidence.trust import Trust
from holdfast.model.control import Excluded
from holdfast.model.record import Record, Statement

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


@dataclass(frozen=True, slots=True)
class Source:
    """What a bundle is made from.

    The whole log and its head, when that was made, who is to be believed, the catalogues of
    controls by name, and the files of runs by their digests.
    """

    records: Sequence[Record]
    head: Note
    at: datetime
    trust: Trust
    catalogues: Mapping[str, bytes]
    excluded: Excluded
    files: Callable[[Told], Mapping[str, Path | bytes]]
    draw: Callable[[bytes], bytes | None]
    """Makes a PDF of the report, or nothing where that is not possible."""


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle before it is signed; `missing` are files of runs that are no longer there."""

    told: Told
    contents: Mapping[str, bytes | Path]
    manifest: Manifest
    missing: Sequence[str]


def make(source: Source, request: Request) -> Made:
    """Put a bundle together; EvidenceError names a record that cannot be read."""
    statements = {r.index: _statement(r) for r in source.records}
    head = checkpoint_of(source.head)
    controls = {c.name: c for table in source.catalogues.values() for c in read_table(table)}
    basis = Basis(request, head.origin, head.size, source.at, controls, source.excluded)
    told = tell(statements, basis)
    first = first_needed(told, statements)
    digests = {n: f"sha256:{sha256_of(table)}" for n, table in source.catalogues.items()}
    made = derived(told, digests, witnesses(source.trust.policy))
    files = source.files(told)
    drawn = source.draw(made[places.REPORT + "index.html"])
    wanted = sorted({digest for run in told.runs for digest in run.files.values()})
    contents: dict[str, bytes | Path] = {
        places.README: README, **dict(log_files(source, first)), **made,
        **oscal(told, str(source.head)),
        **{places.catalogue(name): table for name, table in source.catalogues.items()},
        **({} if drawn is None else {places.REPORT + "report.pdf": drawn}),
        **{places.artefact(digest): files[digest] for digest in wanted if digest in files},
    }
    manifest = Manifest(
        origin=head.origin, size=head.size, root=head.root.hex(), at=source.at, first=first,
        made_by=__version__, request=request, population=len(told.population),
        selected=len(told.runs),
        catalogues=digests, excluded=source.excluded, own=source.trust,
        files={name: sha256_of(content) for name, content in contents.items()},
    )
    return Made(told, contents, manifest, [d for d in wanted if d not in files])


def derived(told: Told, catalogues: Mapping[str, str], witnesses: str) -> Mapping[str, bytes]:
    """The files that follow from the records alone: whoever checks makes them again."""
    return {
        **{places.REPORT + name: content for name, content in tables(told).items()},
        places.REPORT + "index.html": page(told, catalogues, witnesses),
    }


def log_files(source: Source, first: int) -> Iterator[tuple[str, bytes]]:
    """The head, the tree, and from record `first` on every record with its proof."""
    yield places.CHECKPOINT, str(source.head).encode()
    leaves = [leaf_hash(record.envelope) for record in source.records]
    tiles = grown(0, leaves, lambda _level, _number: b"")
    size, complete = len(leaves), tree(leaves)
    for level, number, width in tile_places(size):
        yield places.tile(path_of(level, number, width)), tiles[level, number]
    for record in source.records[first:]:
        proof = Proof(record.index, inclusion(record.index, size, complete), source.head)
        yield places.entry(record.index), record.envelope
        yield places.proof(record.index), str(proof).encode()


def first_needed(told: Told, statements: Mapping[int, Statement]) -> int:
    """The record to begin with: before the period, and before the first of every run in it."""
    since = told.basis.request.since
    if since is None:
        return 0
    before = [i for i, s in statements.items() if (place := place_of(s)) is not None
              and place.moment < since]
    first = min((min(run.statements) for run in told.population), default=len(statements))
    return min(first, max(before, default=0))


def write_zip(
    target: Path | IO[bytes], contents: Mapping[str, bytes | Path], manifest: bytes
) -> None:
    """Write the files in order of their names, all of the same time."""
    everything = {**contents, places.MANIFEST: manifest}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(everything):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr, info.compress_type = _MODE, zipfile.ZIP_DEFLATED
            content = everything[name]
            with archive.open(info, "w", force_zip64=True) as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as source:
                        _copy(source, file)


def sha256_of(content: bytes | Path) -> str:
    """The digest of what will be written."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _statement(record: Record) -> Statement:
    try:
        return statement_of(read(record.envelope))
    except EvidenceError as error:
        raise EvidenceError(f"it cannot be exported: {error}", index=record.index) from error


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while part := source.read(2**20):
        target.write(part)
