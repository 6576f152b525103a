"""A log that is down: records wait on disk, and are marked late when they reach it (E1)."""

import json
import os
import sqlite3
from contextlib import contextmanager

import pytest

from holdfast.errors import EvidenceError, LogDownError
from holdfast.evidence.envelope import LIMIT, read, statement_of
from holdfast.evidence.head import Head
from holdfast.evidence.late import BUFFER, MODE, late_of
from holdfast.evidence.log import place_of
from holdfast.evidence.times import check_times
from holdfast.model.record import Role, Statement
from holdfast.stores import notary as notaries
from holdfast.stores.spool import Spool
from support.evidence import PLAN, RESULT, RUN, START, Log


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path)
    made.add(PLAN, **{MODE: BUFFER})
    return made


@contextmanager
def down(log):
    """The database takes no record; all else works."""
    with sqlite3.connect(log.folder / "books.db") as link:
        link.execute("CREATE TRIGGER down BEFORE INSERT ON record "
                     "BEGIN SELECT RAISE(ABORT, 'no space'); END")
    link.close()
    yield
    with sqlite3.connect(log.folder / "books.db") as link:
        link.execute("DROP TRIGGER down")
    link.close()


def wait(log, kind, **told):
    log.clock.passed += 1
    told = {"run_id": RUN, "plan_digest": f"sha256:{RUN}", "verdict": "HELD"} | told
    return log.notary.append(RUN, Statement(kind, {}, told | {"artefacts": []}), may_wait=True)


def kinds(records):
    return [r.predicate_type.split("/")[-2] for r in records]


def lates(log):
    return {r.index: late_of(statement_of(read(r.envelope))) for r in log.notary.records()}


def spooled(log):
    return sorted((log.folder / "spool").glob("*.json"))


def test_what_may_not_wait_is_refused_and_nothing_is_kept(log):
    with down(log), pytest.raises(LogDownError, match="no space"):
        log.add(START)
    assert [] == spooled(log)


def test_what_waits_is_on_disk_and_comes_first_when_the_log_is_back(log):
    with down(log):
        assert (2, 3) == (wait(log, START).index, wait(log, RESULT).index)
        assert ["plan", "run-start", "result"] == kinds(log.notary.so_far(RUN))
        assert ["plan"] == kinds(log.notary.records(RUN))
        assert {0o600} == {path.stat().st_mode & 0o777 for path in spooled(log)}
        assert 2 == log.notary.drain()
    log.clock.passed += 60
    assert 4 == log.add(PLAN, "next").index
    assert ["plan", "run-start", "result", "plan"] == kinds(log.notary.records()[1:])
    assert ([], [None, None, "IntegrityError", "IntegrityError", None]) == (
        spooled(log), [found and found.why for found in lates(log).values()])
    assert log.notary.so_far(RUN) == log.notary.records(RUN)
    checked = log.check()
    assert ([], 2) == (list(checked.troubles), len(checked.notes))
    assert "reached the log 62 s later" in checked.notes[0]


def test_draining_twice_or_where_nothing_waits_changes_nothing(log):
    assert 0 == log.notary.drain()
    with down(log):
        wait(log, START)
    kept = {path: path.read_bytes() for path in spooled(log)}
    assert 0 == log.notary.drain()
    for path, content in kept.items():  # killed before the files were taken away
        path.write_bytes(content)
    assert 0 == log.notary.drain()
    assert ["plan", "run-start"] == kinds(log.notary.records(RUN))


def test_killed_before_the_log_has_it_it_still_waits(log, monkeypatch):
    with down(log):
        wait(log, START)
    monkeypatch.setattr(notaries.LocalNotary, "_end", lambda *_: os.kill(os.getpid(), 9))
    child = os.fork()
    if not child:
        log.notary.drain()
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    monkeypatch.undo()
    assert (1, ["plan"]) == (len(spooled(log)), kinds(log.notary.records(RUN)))
    assert 0 == log.notary.drain()
    assert ["plan", "run-start"] == kinds(log.notary.records(RUN))


def test_killed_before_the_file_is_whole_nothing_waits(log, monkeypatch):
    """A statement counts when it is on disk: a half one was never acknowledged."""
    with down(log):
        monkeypatch.setattr("holdfast.stores.spool.write_durably", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            wait(log, START)
    assert ([], 0) == (spooled(log), log.notary.drain())


@pytest.mark.parametrize("change", [
    lambda text: text[:-9], lambda text: text.replace('"sig":"', '"sig":"AAAA'), lambda _: "",
    lambda _: "{}"])
def test_what_was_changed_while_it_waited_is_left_out_and_told(log, change, caplog):
    with down(log):
        wait(log, START)
        wait(log, RESULT)
    first = spooled(log)[0]
    first.write_text(change(first.read_text()))
    assert 1 == log.notary.drain()
    assert (["plan", "result"], [first]) == (kinds(log.notary.records(RUN)), spooled(log))
    assert f"{first} is left out" in caplog.text


def test_a_record_too_large_to_be_marked_is_refused(log):
    with down(log), pytest.raises(EvidenceError, match="too large for a record that is late"):
        wait(log, START, more="x" * (LIMIT * 3 // 4 - 1000))
    assert [] == spooled(log)


def test_a_key_that_cannot_be_used_is_no_log_that_is_down(log):
    log.key.chmod(0o644)
    with pytest.raises(EvidenceError, match="others may read") as told:
        wait(log, START)
    assert not isinstance(told.value, LogDownError)
    assert [] == spooled(log)


def test_a_spool_that_cannot_be_written_is_told(log):
    (log.folder / "spool").write_text("a file")
    with down(log), pytest.raises((EvidenceError, OSError)):
        wait(log, START)


def test_keys_are_not_rotated_while_records_wait(log):
    with down(log):
        wait(log, START)
        with pytest.raises(EvidenceError, match="1 records wait"):
            log.notary.rotate(Role.RUNNER)
    log.notary.rotate(Role.RUNNER)
    assert ["plan", "run-start"] == kinds(log.notary.records(RUN))


def test_names_go_on_from_the_last(tmp_path):
    spool = Spool(tmp_path / "spool")
    assert (True, []) == (spool.is_empty(), list(spool.waiting()))
    for n in range(12):
        spool.put(b"%d" % n)
    assert [b"%d" % n for n in range(12)] == [content for _, content in spool.waiting()]


def forge(log, index, change):
    """Sign another mark: somebody has the runner's key."""
    log.edit(index, change, log.key.read_bytes())
    return {t.code for t in log.check().troubles}


def test_a_mark_in_a_run_that_may_not_be_late_is_found(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    with down(log):
        wait(log, START)
        wait(log, RESULT)
    log.notary.drain()
    assert ["E_LATE_RECORD"] * 2 == [t.code for t in log.check().troubles]


def late_start(log):
    """The start waited; then came the fault, and the log was back."""
    with down(log):
        start = wait(log, START)
        place = place_of(statement_of(read(start.envelope)))
        log.clock.passed += 5
        at = round(log.clock.boottime() * 1000)
        lease = {"lease_id": "l", "boot_id": place.boot_id, "injected_boottime_ms": at}
        wait(log, RESULT, experiments=[lease])
    log.clock.passed += 5
    log.notary.drain()


def test_a_start_that_waited_was_before_the_fault(log):
    late_start(log)
    assert [] == list(log.check().troubles)


def test_a_result_that_waited_for_an_hour_was_sealed_between_start_and_end(log):
    with down(log):
        wait(log, START)
        wait(log, RESULT, sealed_at=log.clock.now().isoformat())
    log.clock.passed += 3600
    log.notary.drain()
    told = {r.index: statement_of(read(r.envelope)) for r in log.notary.records()}
    assert [] == list(check_times(told, Head(None), log.clock.now()))


def test_a_mark_taken_away_makes_the_start_come_after_the_fault(log):
    late_start(log)
    assert "E_LATE_START" in forge(log, 2, lambda told: told.pop("late"))


@pytest.mark.parametrize("change", [
    {"signed_at": "2999-01-01T00:00:00+00:00"}, {"boottime_ms": 10**12}, {"signed_at": "soon"},
    {"boottime_ms": "1"}, {"more": 1}, {"signed_at": "2026-01-01T00:00:00"}])
def test_a_mark_that_cannot_be_true_is_found(log, change):
    late_start(log)
    assert "E_LATE_RECORD" in forge(log, 2, lambda told: told["late"].update(change))


def test_a_mark_that_is_none_is_found(log):
    late_start(log)
    assert "E_LATE_RECORD" in forge(log, 2, lambda told: told.update(late=json.loads("[]")))
