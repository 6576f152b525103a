"""E1: forgeries of a bundle, by who makes them; each is found, and named for what it is.

Numbers are those of the table in docs/evidence.md. What a forger holds is said by what the case
does: `listed` needs the exporter's key, `relogged` the log's and the exporter's as well.
"""

import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.audit import check, places
from holdfast.audit.make import sha256_of
from holdfast.audit.request import Request
from holdfast.controls.frameworks.catalogue import CONTENT
from holdfast.evidence import records as record_checks
from holdfast.evidence.checkpoint import checkpoint_of
from holdfast.evidence.note import Note, cosigned
from holdfast.evidence.roles import RoleKey
from holdfast.model.record import Role
from support.bundles import (
    KEYS,
    WITNESSES,
    Forger,
    World,
    changed,
    codes,
    head,
    key_of,
    retold,
    trust,
    world,
)

RESULT_OF_1 = 8  # of a log that begins with the keys: plan, approval, start, result of each run
DAY = timedelta(days=1)


def held(told):
    told["verdict"] = "HELD"
    for experiment in told["experiments"]:
        experiment["verdict"] = "HELD"


def an_artefact(forger):
    return next(n for n in sorted(forger.files) if n.startswith(places.ARTEFACTS))


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


def case_13():
    """A record dated back, appended late; runner's and log's keys."""
    w = world()
    w.clock.passed -= 3600
    w.batch._boot_id = "another"
    w.run("shop--late")
    w.clock.passed += 3600
    return w.bundle().check(), "E_BACKDATED"


def approved_with(key, **by):
    w = World()
    w.batch._keys = {**KEYS, Role.APPROVER: key}
    w.run("shop--0", **by)
    return w


def case_14():
    """An approval by a key that nobody knows; insider."""
    return approved_with(key_of("nobody")).bundle().check(), "E_UNTRUSTED_SIGNER"


def case_15():
    """An approval signed with the runner's key: roles are kept apart."""
    return approved_with(KEYS[Role.RUNNER]).bundle().check(), "E_UNTRUSTED_SIGNER"


def personal(**key):
    """Trust in an approver's key that is the lead's own."""
    given = trust()
    own = RoleKey(Role.APPROVER, KEYS[Role.APPROVER].public_key(), "lead", **key)
    others = [k for k in given.roles.keys if k.role is not Role.APPROVER]
    return replace(given, roles=replace(given.roles, keys=[*others, own]))


def case_16():
    """Another person's name in an approval; the approver's own key."""
    w = World()
    w.run("shop--0", approved_by="director")
    return w.bundle().check(personal()), "E_APPROVER_IDENTITY"


def case_17():
    """Who triggered the run has approved it; insider."""
    w = World()
    w.run("shop--0", approved_by="sre")
    return w.bundle().check(), "E_SELF_APPROVAL"


def case_18():
    """The approval is of another plan; insider."""
    w = World()
    w.say("plan", "r", approval={"from_impact": 0, "by": [], "valid_for": "3600s"},
          impact={"score": 60}, worst_case_ms=1)
    w.say("approval", "r", answer="approved", by="lead", why="", approved_by="",
          plan_digest="sha256:other")
    w.say("run-start", "r")
    w.result("r", "HELD")
    return w.bundle().check(), "E_APPROVAL_NOT_FOR_THIS_PLAN"


def case_19():
    """One approval for two runs; whoever may append."""
    w = World()
    w.say("plan", "r", approval={"from_impact": 0, "by": [], "valid_for": "3600s"},
          impact={"score": 60}, worst_case_ms=1)
    w.say("approval", "r", answer="approved", by="lead", why="", approved_by="", run_id="another")
    w.say("run-start", "r")
    w.result("r", "HELD")
    return w.bundle().check(), "E_APPROVAL_NOT_FOR_THIS_PLAN"


def case_20():
    """The approval was logged after the start; runner's key."""
    w = World()
    w.say("plan", "r", approval={"from_impact": 0, "by": [], "valid_for": "3600s"},
          impact={"score": 60}, worst_case_ms=1)
    w.say("run-start", "r")
    w.say("approval", "r", answer="approved", by="lead", why="", approved_by="")
    w.result("r", "HELD")
    return w.bundle().check(), "E_APPROVAL_MISSING_OR_LATE"


def case_21():
    """The approver's key had run out; insider."""
    until = datetime(2025, 12, 31, tzinfo=UTC)
    return world("HELD").bundle().check(personal(until=until)), "E_KEY_NOT_VALID_AT_TIME"


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
    f.files["report/better.html"] = b"<p>all is well"
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
    tile = next(n for n in f.files if n.startswith("log/tile/0"))
    del f.files[tile]
    return f.listed().check(), "E_TREE_SIZE"


def case_34():
    """A leaf cut from a tile; exporter's key."""
    f = world().bundle()
    tile = next(n for n in f.files if n.startswith("log/tile/0"))
    f.files[tile] = f.files[tile][:-32]
    return f.listed().check(), "E_TREE_SIZE"


def case_35():
    """A leaf replaced in a tile, so that an edited record fits it; exporter's key."""
    f = world().bundle().edited(RESULT_OF_1, held)
    from holdfast.evidence.merkle import leaf_hash

    tile = next(n for n in f.files if n.startswith("log/tile/0"))
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


CASES = {n: globals()[f"case_{n}"] for n in range(1, 47)}
EXITS = {
    "E_UNSAFE_PATH": 2, "E_LIMIT": 2, "E_LOG_TRUNCATED": 4, "E_STALE_BUNDLE": 4,
    "E_STALE_CHECKPOINT": 4, "E_QUORUM": 5, "GAP": 6,
}


def test_a_genuine_bundle_is_accepted():
    found = world().bundle().check(pin=checkpoint_of(world().head()), bundle_age=DAY)
    assert ([], 0, 3, 6) == (found.troubles, found.exit_code, found.runs, found.artefacts)


@pytest.mark.parametrize("number", CASES)
def test_each_forgery_is_found_and_named(number):
    found, code = CASES[number]()
    assert code in codes(found), found.troubles
    assert found.exit_code != 0
    if code in EXITS and len(codes(found)) == 1:
        assert EXITS[code] == found.exit_code


@pytest.mark.parametrize("number", [10, 11])
def test_without_witnesses_a_rewritten_log_is_accepted(number, monkeypatch):
    """The mechanism matters: who asks for no witness, and keeps no pin, is deceived."""
    monkeypatch.setattr("holdfast.evidence.policy.Policy.is_met", lambda *_: True)
    assert 0 == CASES[number]()[0].exit_code


def test_without_a_pin_colluding_witnesses_are_believed():
    assert 0 == rewritten(("w1", "w2", "w3")).exit_code
    assert 4 == case_7()[0].exit_code
    w = world()
    assert 0 == w.bundle().relogged(w.batch.records[:9]).check().exit_code


@pytest.mark.parametrize(("number", "name"), [
    (1, "_files"), (26, "_files"), (28, "_remade"), (38, "_counts"), (39, "_head"),
    (41, "_signature"), (22, "check_age"), (24, "check_age"), (45, "check_required"),
    (12, "_pin"), (7, "_pin"), (40, "check_story"), (44, "check_story"), (17, "check_story"),
])
def test_with_its_mechanism_off_the_forgery_is_accepted(number, name, monkeypatch):
    """Each check carries weight of its own: nothing else finds what it finds."""
    off = {"check_story": lambda *_: check_story_off()}.get(name, lambda *_: [])
    monkeypatch.setattr(check, name, off)
    found, _ = CASES[number]()
    assert 0 == found.exit_code, found.troubles


def check_story_off():
    from holdfast.evidence.story import Story

    return Story([])


@pytest.mark.parametrize("number", [13, 14, 15, 21])
def test_with_the_records_own_checks_off_the_forgery_is_accepted(number, monkeypatch):
    monkeypatch.setattr(record_checks, "_signed", lambda *_: [])
    monkeypatch.setattr(record_checks, "_chained", lambda *_: [])
    assert 0 == CASES[number]()[0].exit_code


def test_without_trust_a_bundle_is_of_integrity_only():
    """E2: a trust file inside the bundle is never trusted."""
    found = world().bundle().check(blind=True)
    assert ({"E_NO_TRUST"}, 5) == (codes(found), found.exit_code)


def test_what_is_no_zip_is_told(tmp_path):
    from holdfast.audit.verify import Options, verify_file

    (tmp_path / "b.zip").write_bytes(b"nonsense")
    found = verify_file(tmp_path / "b.zip", Options(), datetime(2026, 1, 1, tzinfo=UTC))
    assert ({"E_NOT_A_BUNDLE"}, 2) == (codes(found), found.exit_code)


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b", "a\\b", "C:x", "a//b", "./a", "ä"])
def test_names_that_could_do_harm_are_refused(name):
    f = world("HELD").bundle()
    f.files[name] = b"x"
    assert {"E_UNSAFE_PATH"} == codes(f.listed().check())


def test_a_name_twice_is_refused():
    f = world("HELD").bundle()
    packed = f.packed()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(packed, "a") as more:
        more.writestr(places.README, "other")
    assert {"E_UNSAFE_PATH"} == codes(_checked(packed))


def _checked(packed):
    from holdfast.audit.check import Found
    from holdfast.audit.opened import NotABundle, opened

    try:
        with opened(packed):
            return Found([])
    except NotABundle as error:
        return Found([error.trouble])


def test_a_byte_flipped_anywhere_is_found():
    """E1: in whatever file of the bundle, at its beginning, middle and end."""
    whole = world("HELD").bundle()
    for name in sorted(whole.files):
        size = len(whole.files[name])
        for at in {0, size // 2, size - 1}:
            f = Forger(dict(whole.files), whole.manifest, whole.records, whole.clock, whole.sealed)
            content = bytearray(f.files[name])
            content[at] ^= 1
            f.files[name] = bytes(content)
            assert f.check().exit_code != 0, (name, at)


def test_a_damaged_manifest_is_no_bundle():
    f = world("HELD").bundle()
    f.sealed = b"{}"
    assert ({"E_NOT_A_BUNDLE"}, 2) == (codes(f.check()), f.check().exit_code)


def test_changed_keeps_what_it_does_not_change():
    f = world("HELD").bundle()
    content = f.files[places.entry(1)]
    assert content == changed(content, lambda _: None)
