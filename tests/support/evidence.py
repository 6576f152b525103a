"""A small genuine log in a real notary, and ways to forge it."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.evidence.canonical import canonical
from holdfast.evidence.checkpoint import read_checkpoint
from holdfast.evidence.envelope import read, seal, statement_of
from holdfast.evidence.head import check_head
from holdfast.evidence.keys import private_key, public_key
from holdfast.evidence.roles import Roles
from holdfast.evidence.rotation import retired
from holdfast.evidence.trouble import Injection
from holdfast.evidence.trust import Trust, trust_of
from holdfast.evidence.verify import Checked, Evidence, verify
from holdfast.model.record import PREDICATES, Record, Role, Statement
from holdfast.stores.log import SqlLog
from holdfast.stores.notary import LocalNotary
from support.ports import FakeClock

RUN = "shop--1"
PLAN, START, RESULT, REPORT = (
    f"{PREDICATES}{kind}/v1" for kind in ("plan", "run-start", "result", "report"))


def roles_of(notary: LocalNotary) -> Roles:
    """Believe a notary's own keys."""
    keys = {role: public_key(notary.public_key(role)) for role in Role if role is not Role.WITNESS}
    return trust_of("x", keys, {}).roles


@dataclass
class Log:
    """Two runs in a log: RUN's records are 2 (plan), 3 (start), 4 (result).

    Record 0 announces the keys, 1 is the plan of run a, 5 its result.
    """

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    files: dict[str, bytes] = field(
        default_factory=lambda: {"book.json": b"{}", "lost.json": b"[]"})
    injected: list[Injection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = self.folder / "keys"
        self.key = self.keys / "runner.pem"
        self.notary = LocalNotary(self.folder / "books.db", self.keys, self.clock)
        self.tree = SqlLog(self.folder / "books.db")

    def add(self, kind: str, run: str = RUN, **predicate: object) -> Record:
        self.clock.passed += 1
        subjects = {}
        if kind == RESULT:
            subjects = {n: hashlib.sha256(c).hexdigest() for n, c in self.files.items()}
            predicate["artefacts"] = [
                {"name": n, "digest": f"sha256:{d}"} for n, d in subjects.items()]
        if kind == REPORT:
            self.files["report.html"] = b"<p>"
            subjects = {"report.html": hashlib.sha256(b"<p>").hexdigest()}
        told = {"run_id": run, "plan_digest": f"sha256:{run}", "verdict": "BROKEN"} | predicate
        return self.notary.append(run, Statement(kind, subjects, told))

    def whole(self) -> "Log":
        for kind, run in ((PLAN, "a"), (PLAN, RUN), (START, RUN)):
            self.add(kind, run)
        boot = json.loads(read(self.notary.records()[0].envelope).payload)
        boot_id = boot["predicate"]["log"]["boot_id"]
        self.clock.passed += 1
        at = round(self.clock.boottime() * 1000)
        self.injected = [Injection("lease-1", boot_id, at)]
        self.add(RESULT, experiments=[
            {"lease_id": "lease-1", "boot_id": boot_id, "injected_boottime_ms": at}])
        self.add(RESULT, "a")
        return self

    def forge(self, statement: str, *values: object) -> None:
        """Write into the database as somebody with access to the file can."""
        with sqlite3.connect(self.folder / "books.db") as connection:
            connection.execute("DROP TRIGGER IF EXISTS record_no_update")
            connection.execute("DROP TRIGGER IF EXISTS record_no_delete")
            connection.execute(statement, values)
        connection.close()

    def edit(self, index: int, change: Callable[[dict], None], key: bytes | None = None) -> None:
        """Change a record's payload, and sign it again if there is a key."""
        envelope = json.loads(self.notary.records()[index].envelope)
        payload = json.loads(base64.b64decode(envelope["payload"]))
        change(payload["predicate"])
        envelope["payload"] = base64.b64encode(canonical(payload)).decode()
        content = canonical(envelope)
        if key is not None:
            content = seal(statement_of(read(content)), private_key(key))
        self.forge("UPDATE record SET envelope = ? WHERE number = ?", content, index)

    def check(self, run: str = RUN) -> Checked:
        def digest(name: str) -> str | None:
            found = self.files.get(name)
            return None if found is None else hashlib.sha256(found).hexdigest()

        trust = self.trust()
        head = check_head(self.tree.head()[0], trust.policy, self.clock.now())
        evidence = Evidence(self.notary.records(), head, digest, self.injected)
        return verify(evidence, run, trust.roles)

    def trust(self) -> Trust:
        """What whoever checks this log believes."""
        keys = {role: public_key(self.notary.public_key(role)) for role in Role
                if role is not Role.WITNESS}
        former = retired(self.notary.key_events(), keys[Role.RUNNER])
        return trust_of(read_checkpoint(self.tree.head()[0])[0].origin, keys, {}, former)
