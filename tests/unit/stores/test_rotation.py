"""A key takes another's place: old records stay good, and the old key signs no new ones (E1)."""

import json

import pytest

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, seal, statement_of
from holdfast.evidence.keys import key_id, new_key, private_key, public_key
from holdfast.evidence.log import Place, digest, placed
from holdfast.evidence.roles import APPROVAL, KEY_EVENT, RoleKey, announcement
from holdfast.evidence.rotation import retired
from holdfast.model.record import PREDICATES, Role, Statement
from holdfast.stores.keys import KeyFiles
from holdfast.stores.notary import LocalNotary
from support.evidence import PLAN, RUN, Log

ROTATED = [Role.RUNNER, Role.APPROVER, Role.EXPORTER]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path).whole()


def own(log, role=Role.RUNNER):
    return key_id(public_key(log.notary.public_key(role)))


def events(log):
    return [json.loads(read(e).payload)["predicate"] for e in log.notary.key_events()]


@pytest.mark.parametrize("role", ROTATED)
def test_records_of_before_and_after_are_good(log, role):
    before = own(log, role)
    told = log.notary.rotate(role)
    after = log.add(PLAN, "b")
    assert before != own(log, role)
    assert [] == list(log.check().troubles)
    assert ["announced", "rotated", "announced"] == [e["event"] for e in events(log)]
    assert (told.index + 2, own(log)) == (after.index, read(after.envelope).key_id)
    (former,) = [k for k in log.trust().roles.keys if k.id == before]
    assert (role, True) == (former.role, former.until is not None)


def test_the_old_runner_vouches_for_the_new_one_and_the_new_one_for_the_old(log):
    old = own(log)
    log.notary.rotate(Role.RUNNER)
    first, second = (read(e).key_id for e in log.notary.key_events()[1:])
    assert (old, own(log)) == (first, second)
    assert own(log) == events(log)[1]["keys"][0]["key_id"]
    assert [old] == [k["key_id"] for k in events(log)[2]["retired"]]


def test_again_and_again(log):
    keys = [own(log)]
    for _ in range(3):
        log.clock.passed += 3600
        log.notary.rotate(Role.RUNNER)
        keys.append(own(log))
        log.add(PLAN, "b")
    log.notary.rotate(Role.APPROVER)
    assert [] == list(log.check().troubles)
    former = [k.id for k in log.trust().roles.keys if k.until and k.role is Role.RUNNER]
    assert keys[:-1] == former
    names = {p.name for p in log.keys.glob("runner*.pem")}
    assert {"runner.pem", *(f"runner-{key[:16]}.old.pem" for key in keys[:-1])} == names
    assert {0o600} == {p.stat().st_mode & 0o777 for p in log.keys.glob("*.pem")}


def test_what_the_old_key_signs_later_is_found(log):
    """Somebody kept it; the slack of two machines' clocks is over."""
    old = log.key.read_bytes()
    log.notary.rotate(Role.RUNNER)
    log.clock.passed += 3600
    log.add(PLAN, "b")
    last = log.notary.records()[-1]
    log.forge("UPDATE record SET envelope = ? WHERE number = ?",
              seal(statement_of(read(last.envelope)), private_key(old)), last.index)
    assert "E_KEY_NOT_VALID_AT_TIME" in {t.code for t in log.check("b").troubles}


def test_the_word_of_another_key_makes_no_key_a_former_one(log):
    """Whoever can write to the database announces a key of theirs, and signs with it."""
    mine = private_key(new_key())
    last = log.notary.records()[-1]
    place = Place(index=last.index + 1, previous=digest(last.envelope), run_id="", boottime_ms=0,
                  recorded_at=last.recorded_at, boot_id="b")
    fake = seal(placed(announcement(
        {Role.RUNNER: mine.public_key()}, [RoleKey(Role.RUNNER, mine.public_key())]), place), mine)
    log.forge("INSERT INTO record (number, run_id, predicate_type, recorded_at, previous, envelope)"
              " VALUES (?, '', ?, ?, ?, ?)", place.index, KEY_EVENT, place.recorded_at,
              place.previous, fake)
    assert 2 == len(log.notary.key_events())
    assert key_id(mine.public_key()) not in {k.id for k in log.trust().roles.keys}


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", None])
def test_a_damaged_announcement_is_passed_over(log, content):
    log.notary.rotate(Role.RUNNER)
    good = log.notary.key_events()
    runner = public_key(log.notary.public_key())
    damaged = [*good, content] if content is not None else good[:1]
    assert (1 if content is not None else 0) == len(retired(damaged, runner))


def test_killed_before_the_log_tells_it_nothing_has_changed(log, monkeypatch):
    before = own(log)
    monkeypatch.setattr(LocalNotary, "_end", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        log.notary.rotate(Role.RUNNER)
    monkeypatch.undo()
    assert (before, before) == (own(log), read(log.add(PLAN, "b").envelope).key_id)
    assert [] == list(log.check().troubles)
    log.notary.rotate(Role.RUNNER)  # goes on with the key that was made
    assert 0 == len(list(log.keys.glob("*.next.pem")))
    assert [] == list(log.check().troubles)


@pytest.mark.parametrize("role", ROTATED)
@pytest.mark.parametrize("act", ["append", "sign", "public_key"])
def test_killed_before_the_file_is_in_place_the_next_to_sign_ends_it(
    log, monkeypatch, role, act
):
    before = own(log, role)
    monkeypatch.setattr(KeyFiles, "turn", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        log.notary.rotate(role)
    monkeypatch.undo()
    fresh = LocalNotary(log.folder / "books.db", log.keys, log.clock)
    if act == "append":
        kind = APPROVAL if role is Role.APPROVER else f"{PREDICATES}plan/v1"
        record = fresh.append("c", Statement(kind, {}, {}))
        signer = read(record.envelope).key_id
        assert role is Role.EXPORTER or before != signer
    elif act == "sign":
        assert before != read(fresh.sign(Statement("x", {}, {}), role)).key_id
    assert before != key_id(public_key(fresh.public_key(role)))
    assert not list(log.keys.glob("*.next.pem"))
    assert [] == list(log.check(RUN).troubles)


def test_another_process_goes_on_with_the_new_key(log):
    other = LocalNotary(log.folder / "books.db", log.keys, log.clock)
    other.append("c", Statement(PLAN, {}, {"plan_digest": "c"}))
    log.notary.rotate(Role.RUNNER)
    record = other.append("c", Statement(PLAN, {}, {"plan_digest": "c"}))
    assert own(log) == read(record.envelope).key_id
    assert ["announced", "rotated", "announced"] == [e["event"] for e in events(log)]


def test_an_older_log_that_was_put_back_names_the_old_key(log, tmp_path):
    """Its records are of the old key: the message says where to put it, and it is still there."""
    kept = (log.folder / "books.db").read_bytes()
    before = own(log)
    log.notary.rotate(Role.RUNNER)
    older = tmp_path / "older"
    older.mkdir()
    (older / "books.db").write_bytes(kept)
    notary = LocalNotary(older / "books.db", log.keys, log.clock)
    with pytest.raises(EvidenceError, match=f"signed with key {before[:16]}"):
        notary.append("c", Statement(PLAN, {}, {}))
    (log.keys / f"runner-{before[:16]}.old.pem").replace(log.keys / "runner.pem")
    assert notary.append("c", Statement(PLAN, {}, {}))


def test_the_logs_own_key_stays(log):
    with pytest.raises(EvidenceError, match="named after its key"):
        log.notary.rotate(Role.LOG)


def test_a_new_log_announces_before_it_rotates(tmp_path):
    log = Log(tmp_path)
    log.notary.rotate(Role.APPROVER)
    assert ["announced", "rotated", "announced"] == [e["event"] for e in events(log)]
