"""Break copies of the evidence log, one way after the other: each must be survived or found."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Checkpoint, read_checkpoint
from holdfast.evidence.head import Head, check_head, check_pin, check_tree
from holdfast.evidence.keys import public_key
from holdfast.evidence.merkle import leaf_hash
from holdfast.evidence.records import check_records
from holdfast.evidence.trouble import Trouble
from holdfast.evidence.trust import trust_of
from holdfast.model.record import PREDICATES, Role, Statement, Tried
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._tables import CHECKPOINT, RECORD, TILE
from holdfast.stores.log import SqlLog
from holdfast.stores.notary import LocalNotary

TRIAL = Statement(f"{PREDICATES}trial/v1", {}, {"run_id": "", "trial": True})
"""What is appended to copies."""
_OURS = (Role.RUNNER, Role.APPROVER, Role.LOG, Role.EXPORTER)
_ACKNOWLEDGED, _SECONDS = 20, 30.0
_APPENDER = """
import resource, signal, sys
from pathlib import Path
from holdfast.errors import EvidenceError
from holdfast.stores.notary import LocalNotary
from holdfast.stores.selftest import TRIAL
home, room = Path(sys.argv[1]), int(sys.argv[2])
if room:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
notary = LocalNotary(home / "books.db", home / "keys")
try:
    while True:
        print(notary.append("trial", TRIAL).index, flush=True)
except EvidenceError as error:
    print("full", flush=True)
"""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of the log with its keys, in a folder of its own."""

    home: Path

    @property
    def notary(self) -> LocalNotary:
        return LocalNotary(self.home / "books.db", self.home / "keys")

    def head(self) -> Checkpoint:
        return read_checkpoint(SqlLog(self.home / "books.db").head()[0])[0]

    def troubles(self, pin: Checkpoint | None = None) -> Sequence[Trouble]:
        """Everything that a check of the whole copy finds."""
        records = self.notary.records()
        note, _ = SqlLog(self.home / "books.db").head()
        keys = {role: public_key(self.notary.public_key(role)) for role in _OURS}
        trust = trust_of(read_checkpoint(note)[0].origin, keys, {})
        head = check_head(note, trust.policy, datetime.now(UTC))  # noqa: TID251 - no run's time
        leaves = [leaf_hash(r.envelope) for r in records if isinstance(r.envelope, bytes)]
        return [*_of_head(head, leaves, pin), *check_records(records, trust.roles).troubles]

    def change(self, *statements: str) -> None:
        """Change the file behind everybody's back."""
        with closing(sqlite3.connect(self.home / "books.db", isolation_level=None)) as db:
            for (name,) in db.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f'DROP TRIGGER "{name}"')
            for statement in statements:
                db.execute(statement)


def selftest(books: Database, keys: Path, folder: Path) -> Iterator[Tried]:
    """Try each way on a fresh copy below `folder`. EvidenceError if the log cannot be copied."""
    for number, (name, trial) in enumerate(_TRIALS.items()):
        copy = _copied(books, keys, folder / str(number))
        try:
            text = trial(copy)
        except EvidenceError as error:
            text = f"!{error}"
        yield Tried(name, not text.startswith("!"), text.removeprefix("!"))
        shutil.rmtree(copy.home)


def _copied(books: Database, keys: Path, home: Path) -> _Copy:
    home.mkdir(mode=0o700, parents=True)
    shutil.copytree(keys, home / "keys", ignore=shutil.ignore_patterns("*.lock", "*.token"))
    copy = _Copy(home)
    for table in (RECORD, TILE, CHECKPOINT):
        with reading(books, EvidenceError) as connection:
            rows = [dict(row._mapping) for row in connection.execute(select(table))]
        if rows:
            with writing(home / "books.db", EvidenceError) as connection:
                connection.execute(insert(table), rows)
    copy.notary.sign_head()
    for _ in range(3):
        copy.notary.append("trial", TRIAL)
    return copy


def _killed(copy: _Copy) -> str:
    """Whoever appends is killed in the middle of it."""
    return _after_an_end(copy, room=0)


def _full(copy: _Copy) -> str:
    """The disk is full in the middle of it."""
    return _after_an_end(copy, room=(copy.home / "books.db").stat().st_size + 2**16)


def _after_an_end(copy: _Copy, room: int) -> str:
    told, ended = _appended(copy, room)
    there = {record.index for record in copy.notary.records()}
    if lost := told - there:
        return f"!{len(lost)} of {len(told)} acknowledged records are lost"
    if troubles := copy.troubles():
        return f"!{troubles[0]}"
    copy.notary.append("trial", TRIAL)
    return f"{ended}: {len(told)} acknowledged records are there, none half, and it goes on"


def _appended(copy: _Copy, room: int) -> tuple[set[int], str]:
    """Append in a process of its own until it is killed, or has no room; what was acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", _APPENDER, str(copy.home), str(room)],
        stdout=subprocess.PIPE, text=True)
    told = set[int]()
    try:
        for line in process.stdout or ():
            if not line.strip().isdecimal():
                return told, "the disk was full"
            told.add(int(line))
            if not room and len(told) >= _ACKNOWLEDGED:
                process.send_signal(signal.SIGKILL)
                break
    finally:
        process.kill()
        process.wait(_SECONDS)
        if process.stdout is not None:
            process.stdout.close()
    return told, "killed"


def _restored(copy: _Copy) -> str:
    """An older copy is put back; who has seen a later head misses what came after it."""
    shutil.copytree(copy.home, copy.home / "older", ignore=shutil.ignore_patterns("older"))
    for _ in range(2):
        copy.notary.append("trial", TRIAL)
    return _found(_Copy(copy.home / "older").troubles(copy.head()), "E_LOG_TRUNCATED")


def _edited(copy: _Copy) -> str:
    """A record is changed."""
    copy.change("UPDATE record SET envelope = CAST(REPLACE(CAST(envelope AS TEXT), 'A', 'B') "
                "AS BLOB) WHERE number = (SELECT MAX(number) FROM record)")
    return _found(copy.troubles(), "E_TREE_ROOT")


def _cut(copy: _Copy) -> str:
    """The newest record is taken away: it is missed, and nothing can be written over the gap."""
    copy.change("DELETE FROM record WHERE number = (SELECT MAX(number) FROM record)")
    try:
        copy.notary.append("trial", TRIAL)
    except EvidenceError:
        return _found(copy.troubles(), "E_TREE_SIZE")
    return "!a record was written over the gap"


def _rewritten(copy: _Copy) -> str:
    """The whole log is written anew with all of its keys; who has seen its head finds it."""
    pin, anew = copy.head(), _Copy(copy.home / "anew")
    shutil.copytree(copy.home / "keys", anew.home / "keys")
    for _ in range(pin.size):
        anew.notary.append("trial", TRIAL)
    return _found(anew.troubles(pin), "E_HISTORY_REWRITTEN")


def _found(troubles: Sequence[Trouble], code: str) -> str:
    return f"found: {code}" if code in {t.code for t in troubles} else f"!{code} was not found"


def _of_head(head: Head, leaves: Sequence[bytes], pin: Checkpoint | None) -> Iterator[Trouble]:
    yield from head.troubles
    if head.checkpoint is not None:
        yield from check_tree(head.checkpoint, leaves)
        if pin is not None:
            yield from check_pin(pin, head.checkpoint, leaves)


_TRIALS: dict[str, Callable[[_Copy], str]] = {
    "killed while appending": _killed, "disk full while appending": _full,
    "restored from an older copy": _restored, "a record edited": _edited,
    "the newest record cut off": _cut, "written anew with all keys": _rewritten,
}
