"""Forgeries of a bundle, by who makes them: each gives what a check finds, and its code.

Numbers are those that docs/evidence.md speaks of. What a forger holds is said by what the case
does: `listed` needs the exporter's key, `relogged` the log's and the exporter's as well.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdfast.audit import places
from holdfast.audit.make import sha256_of
from holdfast.audit.request import Request
from holdfast.controls.frameworks.catalogue import CONTENT
from holdfast.evidence.checkpoint import checkpoint_of
from holdfast.evidence.merkle import leaf_hash
from holdfast.evidence.note import Note, cosigned
from holdfast.model.record import Role
from support.bundles import (
    KEYS,
    WITNESSES,
    World,
    head,
    retold,
    world,
)
from support.forged_runs import CASES as OF_RUNS

RESULT_OF_1 = 8  # of a log that begins with the keys: plan, approval, start, result of each run
DAY = timedelta(days=1)


def held(told):
    told["verdict"] = "HELD"
    for experiment in told["experiments"]:
        experiment["verdict"] = "HELD"


def an_artefact(forger):
    return next(n for n in sorted(forger.files) if n.startswith(places.ARTEFACTS))


def a_tile(forger):
    return next(n for n in forger.files if n.startswith("log/tile/0"))


def case_1():
    """An artefact edited; the forger has the ZIP only."""
    f = world().bundle()
    f.files[an_artefact(f)] = b"nicer"
    return f.check(), "E_DIGEST_MISMATCH"


def case_2():
    """Artefact and manifest edited, signed with a key of the forger's."""
    f = world().bundle()
    f.files[an_artefact(f)] = b"nicer"
    f.listed()
    f.sealed = f.sealed.replace(f.sealed[-60:-50], b"AAAAAAAAAA")
    return f.check(), "E_BAD_SIGNATURE"


def case_3():
    """BROKEN to HELD inside an envelope; exporter's key."""
    f = world().bundle().edited(RESULT_OF_1, held)
    f.files |= retold(f)
    return f.listed().check(), "E_ENTRY_NOT_IN_LOG"


def case_4():
    """The same, signed again; runner's and exporter's keys."""
    f = world().bundle().edited(RESULT_OF_1, held, KEYS[Role.RUNNER])
    f.files |= retold(f)
    return f.listed().check(), "E_ENTRY_NOT_IN_LOG"


def case_5():
    """A record taken out of the middle; exporter's key."""
    f = world().bundle()
    del f.files[places.entry(RESULT_OF_1)]
    return f.listed().check(), "E_ENTRY_MISSING"


def case_6():
    """The range narrowed to hide a failed run; exporter's key."""
    f = world().bundle(Request(since=datetime(2026, 1, 1, tzinfo=UTC)))
    for index in range(RESULT_OF_1 + 1):
        del f.files[places.entry(index)], f.files[places.proof(index)]
    return f.listed(first=RESULT_OF_1 + 1).check(since=datetime(2026, 1, 1, tzinfo=UTC)), \
        "E_RANGE_INCOMPLETE"


def case_7():
    """The newest records cut off, with an old genuine head; database."""
    w = world()
    pin = checkpoint_of(w.head())
    old = w.bundle()
    return old.relogged(w.batch.records[:9]).check(pin=pin), "E_LOG_TRUNCATED"


def case_8():
    """Two artefacts exchanged; exporter's key."""
    f = world().bundle()
    one, two = sorted(n for n in f.files if n.startswith(places.ARTEFACTS))[:2]
    f.files[one], f.files[two] = f.files[two], f.files[one]
    return f.listed().check(), "E_ARTEFACT_MISMATCH"


def case_9():
    """Records in another order; database, exporter's key."""
    f = world().bundle()
    one, two = places.entry(3), places.entry(4)
    f.files[one], f.files[two] = f.files[two], f.files[one]
    return f.listed().check(), "E_ENTRY_NOT_IN_LOG"


def rewritten(seen_by, **asked):
    """The whole log told anew, better, with all of the deployment's keys."""
    pin = checkpoint_of(world().head()) if asked.pop("pinned", False) else None
    f = world("HELD", "HELD", "HELD").bundle()
    f.seen_by = seen_by
    return f.relogged(f.records).check(pin=pin)


def case_10():
    return rewritten(()), "E_QUORUM"


def case_11():
    """One of three witnesses colludes."""
    return rewritten(("w1",)), "E_QUORUM"


def case_12():
    """All witnesses collude."""
    return rewritten(("w1", "w2", "w3"), pinned=True), "E_HISTORY_REWRITTEN"


def case_22():
    """Last year's bundle again; anyone."""
    f = world().bundle()
    f.clock.passed += 400 * 86_400
    return f.check(bundle_age=DAY), "E_STALE_BUNDLE"


def case_23():
    """Another tenant's bundle; anyone."""
    w = world()
    w.origin = "example.com/other"
    return w.bundle().check(), "E_ORIGIN"


def case_24():
    """A fresh manifest on a stale head; exporter's key."""
    f = world().bundle()
    f.clock.passed += 30 * 86_400
    f.manifest = replace(f.manifest, at=f.clock.now())
    f.files |= retold(f)
    return f.listed().check(bundle_age=DAY), "E_STALE_CHECKPOINT"


def case_25():
    """A split view of the same size: witnesses have signed the other one; log's key."""
    f = world("HELD", "HELD", "HELD").bundle()
    seen = world().head()
    mine = head(f.records, f.clock, ())
    note = Note(mine.text, [*mine.signatures, *seen.signatures[1:]])
    f.files[places.CHECKPOINT] = str(note).encode()
    return f.listed().check(), "E_QUORUM"


def case_26():
    """A file that nobody declared; ZIP."""
    f = world().bundle()
    f.files["report/report.pdf"] = b"all is well"
    return f.check(), "E_UNDECLARED_OR_MISSING_FILE"


def case_27():
    """A path out of the bundle; ZIP."""
    f = world().bundle()
    f.files["../../etc/passwd"] = b"root::0:0"
    return f.listed().check(), "E_UNSAFE_PATH"


def case_28():
    """The report says evidenced, the records say failed; exporter's key."""
    f = world("BROKEN").bundle()
    for name in ("report/controls.csv", "report/index.html"):
        f.files[name] = f.files[name].replace(b"failing", b"evidenced")
    return f.listed().check(), "E_REPORT_NOT_REPRODUCED"


def case_29():
    """The mapping of controls swapped; exporter's key."""
    f = world().bundle()
    table = CONTENT.replace(b"\tdirect", b"\tnone", 1)
    assert table != CONTENT
    place = places.catalogue("catalogue")
    f.files[place] = table
    f.manifest = replace(f.manifest, catalogues={"catalogue": f"sha256:{sha256_of(table)}"})
    f.files |= retold(f)
    return f.listed().check(), "E_CATALOG_NOT_TRUSTED"


def case_30():
    """The payload's type changed; exporter's key."""
    f = world().bundle()
    place = places.entry(RESULT_OF_1)
    f.files[place] = f.files[place].replace(b"vnd.in-toto", b"vnd.no-toto")
    return f.listed().check(), "E_ENTRY_NOT_IN_LOG"


def case_31():
    """One witness's line repeated; log's key, one witness."""
    f = world().bundle()
    mine = head(f.records, f.clock, ("w1", "w1", "w1"))
    f.files[places.CHECKPOINT] = str(mine).encode()
    return f.listed().check(), "E_QUORUM"


def case_32():
    """A cosignature of the future; a witness's clock."""
    f = world().bundle()
    mine = head(f.records, f.clock, ("w1",))
    later = cosigned(mine.text, "w2", WITNESSES["w2"], round(f.clock.now().timestamp()) + 9_999)
    f.files[places.CHECKPOINT] = str(Note(mine.text, [*mine.signatures, later])).encode()
    return f.listed().check(), "E_FUTURE_COSIGNATURE"


def case_33():
    """Fewer leaves than the head says; exporter's key."""
    f = world().bundle()
    tile = a_tile(f)
    del f.files[tile]
    return f.listed().check(), "E_TREE_SIZE"


def case_34():
    """A leaf cut from a tile; exporter's key."""
    f = world().bundle()
    tile = a_tile(f)
    f.files[tile] = f.files[tile][:-32]
    return f.listed().check(), "E_TREE_SIZE"


def case_35():
    """A leaf replaced in a tile, so that an edited record fits it; exporter's key."""
    f = world().bundle().edited(RESULT_OF_1, held)
    tile = a_tile(f)
    leaf = leaf_hash(f.files[places.entry(RESULT_OF_1)])
    at = RESULT_OF_1 * 32
    f.files[tile] = f.files[tile][:at] + leaf + f.files[tile][at + 32:]
    return f.listed().check(), "E_TREE_ROOT"


def case_36():
    """A proof of another record beside a record; exporter's key."""
    f = world().bundle()
    f.files[places.proof(3)] = f.files[places.proof(4)]
    return f.listed().check(), "E_PROOF"


def case_37():
    """A result hidden: the log ends before it; log's and exporter's keys, witnesses asleep."""
    w = world()
    f = w.bundle()
    return f.relogged(w.batch.records[:RESULT_OF_1]).check(), "E_NO_RESULT"


def case_38():
    """Runs left out of the count; exporter's key."""
    f = world().bundle()
    return f.listed(population=2, selected=2).check(), "E_COUNTS"


def case_39():
    """A manifest that speaks of another head than the one in the bundle; exporter's key."""
    f = world().bundle()
    return f.listed(root="00" * 32).check(), "E_HEAD_MISMATCH"


def case_40():
    """A nicer second result without a new start; runner's and log's keys."""
    w = world("BROKEN")
    w.result("shop--0", "HELD")
    return w.bundle().check(), "E_RESULT_CHANGED"


def case_41():
    """The manifest signed with the runner's key: roles are kept apart."""
    f = world().bundle()
    f.sealed = f.signed(KEYS[Role.RUNNER])
    return f.check(), "E_UNTRUSTED_SIGNER"


def case_42():
    """The file of a failed run left out; exporter's key."""
    f = world("BROKEN").bundle()
    del f.files[an_artefact(f)]
    return f.listed().check(), "E_ARTEFACT_MISSING"


def case_43():
    """The report left out; exporter's key."""
    f = world("BROKEN").bundle()
    del f.files["report/index.html"]
    return f.listed().check(), "E_UNDECLARED_OR_MISSING_FILE"


def case_44():
    """A start that speaks of a plan that was not logged; runner's key."""
    w = World()
    w.say("plan", "r")
    w.say("run-start", "r", plan_digest="sha256:other")
    w.result("r", "HELD")
    return w.bundle().check(), "E_PLAN_DIGEST"


def case_45():
    """A control that must be shown has failed: genuine, and not enough."""
    return world("BROKEN").bundle().check(require=["dora:art-24.4"]), "GAP"


def case_46():
    """A bundle that spends memory: a file that unpacks to much more; ZIP."""
    f = world().bundle()
    f.files["report/big.csv"] = bytes(8 * 2**20)
    return f.listed().check(), "E_LIMIT"


_HERE = {n: globals()[f"case_{n}"] for n in range(1, 47) if f"case_{n}" in globals()}
CASES = dict(sorted((_HERE | OF_RUNS).items()))
