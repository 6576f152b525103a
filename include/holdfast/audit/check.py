"""Check a bundle: what is in it, what it says of the log, what the log says of runs. Offline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast import __version__
from holdfast.audit import places
from holdfast.audit.asked import Asked, check_age, check_period, check_required
from holdfast.audit.closed import check_closed
from holdfast.audit.entries import Entries, read_entries
from holdfast.audit.make import derived
from holdfast.audit.manifest import Manifest, read_manifest
from holdfast.audit.opened import Bundle
from holdfast.audit.oscal import can_be_made, oscal
from holdfast.audit.request import filters
from holdfast.audit.runs import RunTold, Statements
from holdfast.audit.told import NO_RESULT, Basis, Told, tell
from holdfast.audit.words import README, witnesses
from holdfast.controls.table import read_table
from holdfast.errors import EvidenceError
from holdfast.evidence.agreement import check_kinds
from holdfast.evidence.envelope import Envelope, is_signed
from holdfast.evidence.head import Head, check_head, check_pin
from holdfast.evidence.records import check_records
from holdfast.evidence.story import check_story
from holdfast.evidence.times import check_times
from holdfast.evidence.trouble import Trouble, exit_code
from holdfast.evidence.trust import Trust
from holdfast.evidence.verify import check_files
from holdfast.model.control import Control
from holdfast.model.record import Role

NO_TRUST = Trouble(
    "E_NO_TRUST", "keys", "--trust DIR, got by another way", "the keys that it names itself",
    "integrity only: whoever made it may have made its keys too",
)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that is wrong, and what was looked at; `head` is to be kept as the next pin."""

    troubles: Sequence[Trouble]
    notes: Sequence[str] = ()
    origin: str = ""
    size: int = 0
    witnesses: str = ""
    entries: int = 0
    artefacts: int = 0
    runs: int = 0
    head: str = ""

    @property
    def exit_code(self) -> int:
        """0 if all is well, else that of the gravest trouble."""
        return exit_code(self.troubles)


def check_bundle(bundle: Bundle, trust: Trust | None, asked: Asked) -> Found:
    """Check everything, and tell all that is wrong; without `trust`, integrity only."""
    try:
        manifest, envelope = read_manifest(bundle.read(places.MANIFEST) or b"")
    except EvidenceError as error:
        return Found([_wrong("E_NOT_A_BUNDLE", places.MANIFEST, "a manifest", str(error),
                             "this is no bundle of evidence")])
    believed = trust or manifest.own
    content = bundle.read(places.CHECKPOINT) or b""
    head = check_head(content, believed.policy, asked.now)
    entries = read_entries(bundle, manifest.first, head.checkpoint)
    records = check_records(entries.records, believed.roles, manifest.first)
    controls, untrusted = _controls(bundle, manifest, believed)
    told, unreadable = _told(records.statements, _basis(manifest, controls))
    stories, notes = _stories(told, bundle)
    notes = [*_chosen(told), *notes]
    if not can_be_made():
        notes = [*notes, "oscal/ is covered by the manifest's signature only: holdfast evidence "
                 "verify makes it again, this verifier cannot"]
    troubles = [
        *([] if believed.is_given else [NO_TRUST]), *_signature(envelope, believed),
        *_files(bundle, manifest), *head.troubles, *_head(manifest, head),
        *_pin(asked, head, entries), *entries.troubles, *records.troubles, *stories, *untrusted,
        *check_kinds(records.statements), *check_times(records.statements, head, asked.now),
        *unreadable, *_counts(manifest, told), *_remade(bundle, manifest, told),
        *_oscal(bundle, told, content),
        *check_closed(bundle.names, manifest, told, manifest.size),
        *check_age(asked, manifest.at, head),
        *check_period(asked, manifest.request, manifest.first, records.statements,
                      _known(manifest, head)),
        *_required(asked, told, records.statements),
    ]
    return Found(
        list(dict.fromkeys(troubles)), notes, manifest.origin, manifest.size,
        f"{len(head.cosigners)}/{len(believed.policy.witnesses)} witnesses",
        len(entries.records), sum(n.startswith(places.ARTEFACTS) for n in bundle.names),
        len(told.runs), content.decode(errors="replace"),
    )


def _told(statements: Statements, basis: Basis) -> tuple[Told, Sequence[Trouble]]:
    """What the records tell; a result that is none, whoever signed it, is told as such."""
    try:
        return tell(statements, basis), []
    except NO_RESULT as error:
        return Told(basis, (), (), ()), [_no_result(error)]


def _required(asked: Asked, told: Told, statements: Statements) -> Sequence[Trouble]:
    try:
        return [*check_required(asked, told, statements)]
    except NO_RESULT as error:
        return [_no_result(error)]


def _no_result(error: Exception) -> Trouble:
    return _wrong("E_MALFORMED", "records", "results as Holdfast signs them", repr(error),
                  "a record was made by something else")


def _chosen(told: Told) -> Iterator[str]:
    """Say what the bundle was asked to leave out of its report."""
    if len(told.runs) < len(told.population):
        only = "; ".join(filters(told.basis.request))
        yield (f"the report tells of {len(told.runs)} of {len(told.population)} runs of the "
               f"period, only {only}")


def _basis(manifest: Manifest, controls: Mapping[str, Control]) -> Basis:
    return Basis(manifest.request, manifest.origin, manifest.size, manifest.at, controls,
                 manifest.excluded)


def _signature(envelope: Envelope, trust: Trust) -> Iterator[Trouble]:
    key = trust.roles.of(Role.EXPORTER).get(envelope.key_id)
    if key is None:
        yield _wrong("E_UNTRUSTED_SIGNER", places.MANIFEST, "a key of the exporter",
                     f"key {envelope.key_id[:16]}", "somebody else has made this bundle")
    elif not is_signed(envelope, key.public):
        yield _wrong("E_BAD_SIGNATURE", places.MANIFEST, f"a signature by key {key.id[:16]}",
                     "another", "the manifest was changed after it was signed")


def _files(bundle: Bundle, manifest: Manifest) -> Iterator[Trouble]:
    there = bundle.names - {places.MANIFEST}
    for name in sorted(there - manifest.files.keys()):
        yield _wrong("E_UNDECLARED_OR_MISSING_FILE", name, "files of the manifest only", "one more",
                     "nobody has signed for it")
    for name, wanted in sorted(manifest.files.items()):
        found = bundle.digest(name) if name in there else None
        if name not in there:
            yield _wrong("E_UNDECLARED_OR_MISSING_FILE", name, f"sha256:{wanted[:16]}", "no file",
                         "the manifest lists it")
        elif found != wanted:
            yield _wrong("E_DIGEST_MISMATCH", name, f"sha256:{wanted[:16]}",
                         f"sha256:{found[:16]}" if found else "a damaged file",
                         "the file was changed after the bundle was made")
        elif name.startswith(places.ARTEFACTS) and name != places.artefact(wanted):
            yield _wrong("E_ARTEFACT_MISMATCH", name, "the file of this digest",
                         f"sha256:{wanted[:16]}", "another file was put in its place")


def _head(manifest: Manifest, head: Head) -> Iterator[Trouble]:
    seen = head.checkpoint
    said = (manifest.origin, manifest.size, manifest.root)
    if seen is not None and said != (seen.origin, seen.size, seen.root.hex()):
        yield _wrong("E_HEAD_MISMATCH", places.MANIFEST, f"{seen.origin}, {seen.size} records",
                     f"{manifest.origin}, {manifest.size} records",
                     "the manifest speaks of another head than the one in the bundle")


def _known(manifest: Manifest, head: Head) -> datetime:
    """Until when the head was the log's newest: as witnesses say, or else who made the bundle."""
    return manifest.at if head.last_seen is None else datetime.fromtimestamp(head.last_seen, UTC)


def _pin(asked: Asked, head: Head, entries: Entries) -> Sequence[Trouble]:
    if asked.pin is None or head.checkpoint is None:
        return []
    return check_pin(asked.pin, head.checkpoint, entries.leaves)


def _stories(told: Told, bundle: Bundle) -> tuple[Sequence[Trouble], Sequence[str]]:
    """Judge every run of the period, asked for or not; files are in it for those asked for."""
    troubles, notes = list[Trouble](), list[str]()
    asked_for = {run.run_id for run in told.runs}
    for run in told.population:
        story = check_story(run.statements, run.run_id, ())
        troubles += story.troubles
        notes += [f"{run.run_id}: {note}" for note in story.notes]
        if run.run_id in asked_for:
            troubles += _artefacts(run, bundle)
    return troubles, notes


def _artefacts(run: RunTold, bundle: Bundle) -> Sequence[Trouble]:
    by_name = {name: places.artefact(digest) for name, digest in run.files.items()}
    there = {n: run.files[n] for n, place in by_name.items() if place in bundle.names}
    return [t for name in run.files if name not in there
            for t in check_files({f"{run.run_id}/{name}": run.files[name]}, lambda _: None)]


def _controls(
    bundle: Bundle, manifest: Manifest, trust: Trust
) -> tuple[Mapping[str, Control], Sequence[Trouble]]:
    found, troubles = dict[str, Control](), list[Trouble]()
    for name, digest in sorted(manifest.catalogues.items()):
        place = places.catalogue(name)
        content = bundle.read(place) or b""
        is_same = f"sha256:{bundle.digest(place)}" == digest
        if not is_same or digest not in trust.roles.catalogues.get(name, ()):
            known = ", ".join(trust.roles.catalogues.get(name, ())) or "none of this name"
            troubles.append(_wrong("E_CATALOG_NOT_TRUSTED", place, known, digest,
                                   "controls may have been mapped another way"))
        try:
            found |= {control.name: control for control in read_table(content)}
        except (KeyError, ValueError) as error:
            troubles.append(_wrong("E_MALFORMED", place, "a table of controls", repr(error),
                                   "it was edited"))
    return found, troubles


def _counts(manifest: Manifest, told: Told) -> Iterator[Trouble]:
    said, found = ((manifest.population, manifest.selected),
                   (len(told.population), len(told.runs)))
    if said != found:
        yield _wrong("E_COUNTS", places.MANIFEST, f"{found[0]} runs, {found[1]} told of",
                     f"{said[0]}, {said[1]}", "runs were left out of the count, or added to it")


def _remade(bundle: Bundle, manifest: Manifest, told: Told) -> Iterator[Trouble]:
    made = {**derived(told, manifest.catalogues, witnesses(manifest.own.policy)),
            places.README: README}
    for name, content in made.items():
        if name in bundle.names and bundle.read(name) != content:
            yield _unlike(name, manifest.made_by)
        elif name not in bundle.names:
            yield _wrong("E_UNDECLARED_OR_MISSING_FILE", name, "a part of every bundle", "no file",
                         "it was left out")


def _oscal(bundle: Bundle, told: Told, checkpoint: bytes) -> Iterator[Trouble]:
    if not can_be_made():
        return
    there = {name for name in bundle.names if name.startswith(places.OSCAL)}
    made = oscal(told, checkpoint.decode(errors="replace"))
    for name in sorted(there | made.keys()):
        if bundle.read(name) != made.get(name):
            yield _wrong("E_REPORT_NOT_REPRODUCED", name, "what the records say", "something else",
                         "it was not made from these records")


def _unlike(name: str, made_by: str) -> Trouble:
    """Another version may word it otherwise: only the same one can tell that it was edited."""
    if made_by != __version__:
        return _wrong("E_VERIFIER_VERSION", name, f"a verifier of version {made_by}", __version__,
                      "this version words the report otherwise, and cannot say if it was edited")
    return _wrong("E_REPORT_NOT_REPRODUCED", name, "what the records say", "something else",
                  "the report was not made from these records")


def _wrong(code: str, where: str, expected: str, found: str, meaning: str) -> Trouble:
    return Trouble(code, where, expected, found, meaning)

