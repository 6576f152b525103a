"""Genuine bundles without a database, and a forger who may hold some of the keys."""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.audit import places
from holdfast.audit.asked import Asked
from holdfast.audit.check import Found, check_bundle
from holdfast.audit.make import Source, derived, make, sha256_of, write_zip
from holdfast.audit.manifest import Manifest
from holdfast.audit.opened import NotABundle, opened
from holdfast.audit.request import Request
from holdfast.audit.told import Basis, tell
from holdfast.audit.words import witnesses
from holdfast.controls.frameworks.catalogue import CONTENT
from holdfast.controls.table import read_table
from holdfast.evidence.checkpoint import Checkpoint
from holdfast.evidence.envelope import read, seal, statement_of
from holdfast.evidence.head import tree
from holdfast.evidence.log import GENESIS
from holdfast.evidence.merkle import leaf_hash, root
from holdfast.evidence.note import COSIGNATURE, ED25519, Note, cosigned, signed, verifier
from holdfast.evidence.policy import Policy, Witness
from holdfast.evidence.roles import RoleKey, Roles, announcement
from holdfast.evidence.trust import Trust
from holdfast.model.approval_spec import ApprovalSpec
from holdfast.model.record import PREDICATES, Record, Role, Statement
from holdfast.stores._batch import Batch
from support.ports import FakeClock

ORIGIN = "example.com/log1"
APPROVALS = ApprovalSpec(from_impact=0).model_dump(mode="json")


def key_of(word: str) -> Ed25519PrivateKey:
    """The same key for the same word."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(word.encode()).digest())


KEYS = {role: key_of(role) for role in Role if role is not Role.WITNESS}
WITNESSES = {f"w{n}": key_of(f"w{n}") for n in (1, 2, 3)}


def trust() -> Trust:
    """What an auditor was given: one log, two of three witnesses, the lead as approver."""
    log = verifier(ORIGIN, KEYS[Role.LOG].public_key(), ED25519)
    seen = {n: Witness(n, verifier(n, k.public_key(), COSIGNATURE)) for n, k in WITNESSES.items()}
    policy = Policy({ORIGIN: log}, seen, {"all": (2, tuple(seen))}, "all")
    roles = [RoleKey(role, KEYS[role].public_key()) for role in (
        Role.RUNNER, Role.EXPORTER)] + [RoleKey(Role.APPROVER, KEYS[Role.APPROVER].public_key())]
    return Trust(policy, Roles(roles, {"catalogue": [f"sha256:{sha256_of(CONTENT)}"]}))


@dataclass
class World:
    """A log that grows, a clock, and the files of runs."""

    clock: FakeClock = field(default_factory=FakeClock)
    files: dict[str, bytes] = field(default_factory=dict)
    origin: str = ORIGIN

    def __post_init__(self) -> None:
        self.batch = Batch(KEYS, self.clock, 0, GENESIS)
        self.batch.add("", announcement({r: k.public_key() for r, k in KEYS.items()}))

    def say(self, kind: str, run: str, subjects: Mapping[str, str] | None = None,
            **told: object) -> Record:
        self.clock.passed += 1
        predicate = {"run_id": run, "suite": "shop", "environment": "lab",
                     "plan_digest": f"sha256:{run}", "triggered_by": "sre"} | told
        return self.batch.add(run, Statement(f"{PREDICATES}{kind}/v1", subjects or {}, predicate))

    def run(self, name: str, verdict: str = "HELD", approved_by: str = "lead") -> None:
        """Plan, approval, start, result with two files."""
        self.say("plan", name, approval=APPROVALS, impact={"score": 60}, worst_case_ms=60_000)
        self.say("approval", name, answer="approved", by=approved_by, why="", approved_by="")
        self.say("run-start", name, triggered_by="sre")
        self.result(name, verdict)

    def result(self, name: str, verdict: str) -> None:
        subjects = {}
        for file in ("book.json", "report.html"):
            content = f"{name} {file} {verdict}".encode()
            self.files[sha256_of(content)] = content
            subjects[file] = sha256_of(content)
        self.say(
            "result", name, subjects, verdict=verdict, is_postponed=False, reason="",
            sealed_at=self.clock.now().isoformat(), controls=["dora:art-24.4"], findings=[],
            experiments=[{"name": "x", "verdict": verdict, "service": "api"}],
            artefacts=[{"name": n, "digest": f"sha256:{d}"} for n, d in subjects.items()],
        )

    def head(self, seen_by: Iterable[str] = ("w1", "w2"), size: int | None = None) -> Note:
        """Sign the log's head, and have witnesses sign it now."""
        return head(self.batch.records[:size], self.clock, seen_by, self.origin)

    def bundle(self, request: Request | None = None, note: Note | None = None) -> "Forger":
        """Export as the product does."""
        source = Source(
            self.batch.records, note or self.head(), self.clock.now(), trust(),
            {"catalogue": CONTENT}, {}, lambda _: self.files, lambda _: None)
        made = make(source, request or Request())
        contents = {n: c for n, c in made.contents.items() if isinstance(c, bytes)}
        return Forger(contents, made.manifest, list(self.batch.records), self.clock)


def head(records: Sequence[Record], clock: FakeClock, seen_by: Iterable[str],
         origin: str = ORIGIN) -> Note:
    """A head over these records, signed by the log and by witnesses."""
    leaves = [leaf_hash(r.envelope) for r in records]
    text = str(Checkpoint(origin, len(leaves), root(len(leaves), tree(leaves))))
    at = round(clock.now().timestamp())
    lines = [signed(text, origin, KEYS[Role.LOG])]
    return Note(text, lines + [cosigned(text, n, WITNESSES[n], at) for n in seen_by])


def world(*verdicts: str) -> World:
    """A log of runs that ended so."""
    made = World()
    for number, verdict in enumerate(verdicts or ("HELD", "BROKEN", "HELD")):
        made.run(f"shop--{number}", verdict)
    return made


@dataclass
class Forger:
    """A bundle in the hands of somebody who may change it, and may hold keys."""

    files: dict[str, bytes]
    manifest: Manifest
    records: list[Record]
    clock: FakeClock
    sealed: bytes = b""
    seen_by: tuple[str, ...] = ("w1", "w2")

    def __post_init__(self) -> None:
        self.sealed = self.sealed or self.signed()

    def signed(self, key: Ed25519PrivateKey = KEYS[Role.EXPORTER]) -> bytes:
        return seal(self.manifest.statement(), key, 2**26)

    def listed(self, **changes: object) -> "Forger":
        """With the exporter's key: list the files as they are now, and sign that."""
        digests = {n: sha256_of(c) for n, c in self.files.items()}
        self.manifest = replace(self.manifest, files=digests, **changes)
        self.sealed = self.signed()
        return self

    def edited(self, index: int, change: Callable[[dict], None],
               key: Ed25519PrivateKey | None = None) -> "Forger":
        """Change a record's predicate in the bundle, and sign it again if there is a key."""
        self.files[places.entry(index)] = changed(self.files[places.entry(index)], change, key)
        return self

    def relogged(self, records: Sequence[Record]) -> "Forger":
        """With the keys of log and exporter: make everything anew from other records."""
        note = head(records, self.clock, self.seen_by)
        source = Source(records, note, self.manifest.at, trust(), {"catalogue": CONTENT}, {},
                        lambda _: self.kept, lambda _: None)
        made = make(source, self.manifest.request)
        self.files = {n: c for n, c in made.contents.items() if isinstance(c, bytes)}
        self.manifest, self.records = made.manifest, list(records)
        self.sealed = self.signed()
        return self

    @cached_property
    def kept(self) -> dict[str, bytes]:
        """The files of runs by digest."""
        return {n.removeprefix(places.ARTEFACTS): c for n, c in self.files.items()
                if n.startswith(places.ARTEFACTS)}

    def packed(self) -> io.BytesIO:
        made = io.BytesIO()
        write_zip(made, self.files, self.sealed)
        return made

    def check(self, believed: Trust | None = None, *, blind: bool = False,
              **asked: object) -> Found:
        """Verify as an auditor does, by default with the trust that was given."""
        question = Asked(self.clock.now() + timedelta(minutes=1), **asked)
        try:
            with opened(self.packed()) as bundle:
                return check_bundle(bundle, None if blind else believed or trust(), question)
        except NotABundle as error:
            return Found([error.trouble])


def changed(envelope: bytes, change: Callable[[dict], None],
            key: Ed25519PrivateKey | None = None) -> bytes:
    """Change what an envelope says; signed again if there is a key."""
    told = json.loads(envelope)
    payload = json.loads(base64.b64decode(told["payload"]))
    change(payload["predicate"])
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    told["payload"] = base64.b64encode(text.encode()).decode()
    content = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return content if key is None else seal(statement_of(read(content)), key)


def codes(found: Found) -> set[str]:
    """What is wrong, by code."""
    return {t.code for t in found.troubles}


def retold(forger: Forger) -> dict[str, bytes]:
    """The report that would follow from the entries as they are in the bundle now."""
    statements = {
        int(name.removeprefix(places.ENTRIES)[:6]): statement_of(read(content))
        for name, content in forger.files.items() if name.startswith(places.ENTRIES)}
    manifest = forger.manifest
    controls = {c.name: c for c in read_table(forger.files[places.catalogue("catalogue")])}
    told = tell(statements, Basis(manifest.request, manifest.origin, manifest.size, manifest.at,
                                  controls, manifest.excluded))
    return dict(derived(told, manifest.catalogues, witnesses(manifest.own.policy)))


