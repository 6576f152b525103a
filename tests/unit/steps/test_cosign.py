"""E1: no fault before enough witnesses have seen the run's start."""

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.errors import Postponed, SafetyError
from holdfast.evidence.checkpoint import read_checkpoint
from holdfast.evidence.note import ED25519, read_verifier, verifier
from holdfast.evidence.trust import POLICY
from holdfast.evidence.witness import Refusal
from holdfast.model.record import PREDICATES, Role, Statement
from holdfast.steps.cosign import (
    cosign,
    expect_cosigned,
    seen_by_witnesses,
    show_newest,
    show_until,
)
from holdfast.steps.evidence import own_trust
from holdfast.stores.log import SqlLog
from holdfast.stores.notary import LocalNotary
from holdfast.witness.state import Witness
from support.ports import memory_ports as made_ports
from support.suites import suite

RUN = "core--1"
DAY = timedelta(days=1)
START = Statement(f"{PREDICATES}run-start/v1", {}, {})


class Town:
    """Three witnesses behind addresses; some may be asleep."""

    def __init__(self, folder, log):
        self.asleep = set()
        self.them = {n: Witness(n, folder / n, {log.name: log}) for n in ("w1", "w2", "w3")}

    def ask(self, url, body):
        from datetime import UTC, datetime

        name = url.removeprefix("http://")
        if name in self.asleep:
            return 0, "ConnectError: nobody is there"
        try:
            return 200, str(self.them[name].add_checkpoint(body, datetime(2026, 1, 1, tzinfo=UTC)))
        except Refusal as refusal:
            return refusal.status, f"{refusal.why if refusal.size is None else refusal.size}\n"


@pytest.fixture
def world(tmp_path):
    from holdfast.evidence.keys import public_key

    books = tmp_path / "books.db"
    ports = made_ports(tmp_path)
    ports = replace(ports, notary=LocalNotary(books, ports.settings.keys), log=SqlLog(books))
    ports.notary.append(RUN, START)
    log = own_trust(ports).policy.logs
    (origin,) = log
    town = Town(tmp_path, verifier(
        origin, public_key(ports.notary.public_key(Role.LOG)), ED25519))
    ports = replace(ports, witness=town.ask)
    lines = [f"log {log[origin]}"]
    lines += [f"witness {n} {w.vkey()} http://{n}" for n, w in town.them.items()]
    lines += ["group g 2 w1 w2 w3", "quorum g"]
    ports.settings.trust.mkdir()
    (ports.settings.trust / POLICY).write_text("\n".join(lines))
    asking(ports)
    return ports, town


def asking(ports, *, cosigned=True):
    from holdfast.model.run import EntryKind
    from holdfast.steps.book import write

    told = suite().model_dump(mode="json", by_alias=True)
    told["compliance"] = {"cosigned": cosigned}
    write(ports, RUN, EntryKind.SUITE, "core", {"suite": told, "only": [], "dry_run": False})


def test_the_head_is_signed_by_all_who_are_awake(world):
    ports, town = world
    found = cosign(ports)
    assert ({"w1", "w2", "w3"}, True, 2, 2) == (
        found.names, found.is_met, found.size, seen_by_witnesses(ports))
    _, note = read_checkpoint(ports.log.head()[0])
    assert 4 == len(note.signatures)
    town.asleep = {"w1"}
    ports.notary.append(RUN, START)
    assert (True, 3) == (cosign(ports).is_met, seen_by_witnesses(ports))
    assert "w1: ConnectError: nobody is there" in str(cosign(ports))


def test_a_witness_that_slept_catches_up(world):
    ports, town = world
    town.asleep = {"w1"}
    cosign(ports)
    for _ in range(5):
        ports.notary.append(RUN, START)
    cosign(ports)
    town.asleep = set()
    assert {"w1", "w2", "w3"} == cosign(ports).names


def test_too_few_witnesses_let_no_run_begin(world):
    ports, town = world
    town.asleep = {"w1", "w2"}
    with pytest.raises(Postponed, match=r"2 of w1, w2, w3 must sign the log's head, 1 have signed"):
        expect_cosigned(ports, RUN)
    assert 0 == seen_by_witnesses(ports)
    asking(ports, cosigned=False)
    expect_cosigned(ports, RUN)


def test_a_suite_that_asks_for_witnesses_where_none_are_named_is_postponed(world):
    ports, _ = world
    (ports.settings.trust / POLICY).unlink()
    with pytest.raises(Postponed, match=r"no policy names any: add them to .*policy"):
        expect_cosigned(ports, RUN)
    assert cosign(ports) is None


def test_an_arm_without_a_start_that_witnesses_have_seen_is_refused(world, monkeypatch):
    from holdfast.steps.arm import _refuse

    ports, _ = world
    monkeypatch.setattr("holdfast.steps.arm.note_stop", lambda *_: "")
    with pytest.raises(SafetyError, match="too few witnesses have seen the run's start"):
        _refuse(ports, RUN, 0)
    cosign(ports)
    with pytest.raises(SafetyError, match="was not found steady"):
        _refuse(ports, RUN, 0)


def test_a_log_that_was_restored_from_an_older_copy_is_noticed(world, tmp_path):
    """E1: the witnesses have seen more than it has."""
    import shutil
    import sqlite3

    ports, _ = world
    copy = tmp_path / "older.db"
    with sqlite3.connect(tmp_path / "books.db") as now, sqlite3.connect(copy) as then:
        now.backup(then)
    ports.notary.append(RUN, START)
    assert cosign(ports).is_met
    for part in tmp_path.glob("books.db*"):
        part.unlink()
    shutil.copy(copy, tmp_path / "books.db")
    found = cosign(ports)
    assert not found.is_met
    assert "it has seen a longer log: 3 records, this has 2" in str(found)
    assert "longer log" in show_newest(ports)


def test_answers_that_are_no_signatures_are_told(world):
    ports, _ = world
    for answer, said in (
        ((200, "nonsense"), "its answer is no signature"), ((200, "— w1 AAAAAAAA"), "no signature"),
        ((500, "broken"), "it answers 500: broken"), ((409, "many"), "a longer log: many"),
        ((409, "1"), "1"),
    ):
        found = cosign(replace(ports, witness=lambda *_, a=answer: a))
        assert said in found.why_not["w1"]


def test_a_witness_without_an_address_is_not_asked(world):
    ports, _ = world
    place = ports.settings.trust / POLICY
    place.write_text(place.read_text().replace(" http://w1", ""))
    assert "no address" in cosign(ports).why_not["w1"]


def test_what_is_newest_is_shown_once(world):
    ports, town = world
    assert "" == show_newest(ports)
    town.asleep = {"w1", "w2", "w3"}
    assert "" == show_newest(ports)
    ports.notary.append(RUN, START)
    assert "0 have signed" in show_newest(ports)
    (ports.settings.trust / POLICY).write_text("nonsense")
    assert "policy, line 1" in show_newest(ports)
    assert read_verifier(str(town.them["w1"].vkey()))


def test_witnesses_that_are_asked_again_and_again_sign_once_each(world):
    """A note has 64 signatures at most: one more, and nobody could read the log's head."""
    ports, town = world
    town.asleep = {"w1", "w2"}
    for _ in range(70):
        assert "1 have signed" in show_newest(ports)
    town.asleep = {"w3"}
    assert cosign(ports).is_met
    assert 4 == len(read_checkpoint(ports.log.head()[0])[1].signatures)


def test_witnesses_look_again_once_a_period_is_over(world):
    """A bundle of it must show that nothing came after what they saw before its end."""
    ports, town = world
    asked = []
    ports = replace(ports, witness=lambda url, body: asked.append(url) or town.ask(url, body))
    cosign(ports)
    seen, now = len(asked), ports.clock.now()
    assert ["", ""] == [show_until(ports, now - DAY), show_until(ports, now + DAY)]
    assert seen == len(asked)
    ports.clock.passed += DAY.total_seconds()
    assert "" == show_until(ports, now + DAY / 2)
    assert len(asked) > seen
    town.asleep = {"w1", "w2", "w3"}
    ports.clock.passed += DAY.total_seconds()
    assert "0 have signed" in show_until(ports, now + DAY * 2)


def test_a_policy_that_cannot_be_read_ends_no_export(world):
    ports, _ = world
    (ports.settings.trust / POLICY).write_text("nonsense")
    assert "policy, line 1" in show_until(ports, ports.clock.now())
