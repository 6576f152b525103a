"""R6: the check of a run's data, and recovery points."""

import json
from dataclasses import replace

import pytest

from holdfast.clients.rows import Look
from holdfast.errors import EvidenceError, FaultError
from holdfast.model.record import Tried
from holdfast.model.run import EntryKind, RunState
from holdfast.model.verdict import Verdict
from holdfast.steps.book import findings, write
from holdfast.steps.check import check
from holdfast.steps.items import Access
from support.after import ended, found, op, put_lease, record, set_state, steady
from support.runs import RUN

EARLY, LATE = "lost-early", "lost-late"
SECOND_PROMISES = ("expect: {recovery_within: 30s}", "expect: {recovery_point: 1}")


def reads(keys):
    """A database whose only rows are these keys, whatever it is asked."""
    def looking(ports, connection_id, use):
        now = ports.clock.boottime()
        return use(Look(now, now, lambda query: iter([(key,) for key in keys()])))

    return Access(looking)


def _keys(ports, *missing):
    lines = (ports.settings.home / "shop/history/orders.jsonl").read_text().splitlines()
    keys = dict.fromkeys(e["value"] for e in map(json.loads, lines) if e["type"] == "ok")
    return [key for key in keys if key not in missing]


def _with_two_more(tmp_path, *changes):
    ports = ended(tmp_path, *changes)
    put_lease(ports, "second", 1, injected_at=1025.0, reverted_at=1030.0, clean_at=1030.5)
    record(ports, [*steady(1000, 1040), op(1012.05, key=EARLY), op(1028.05, key=LATE)])
    return ports


def test_all_there_is_held(tmp_path):
    ports = ended(tmp_path)
    check(ports, RUN, reads(lambda: _keys(ports)))
    assert (Verdict.HELD, "orders: all 400 acknowledged writes are there") == (
        found(ports, "lost_writes").verdict, found(ports, "lost_writes").text)
    assert Verdict.HELD is found(ports, "recovery_point", "first").verdict


def _tested(tmp_path, tried):
    """A run whose suite has the evidence log tried too."""
    ports = ended(tmp_path)
    told = ports.books.read(RUN, EntryKind.SUITE)[-1].data
    told["suite"]["compliance"]["selftest"] = True
    write(ports, RUN, EntryKind.SUITE, "core", told)
    check(replace(ports, selftest=tried), RUN, reads(lambda: _keys(ports)))
    return found(ports, "evidence_log")


def test_an_evidence_log_that_finds_all_is_held_and_counted(tmp_path):
    """The suite health-records: the log itself under fault."""
    finding = _tested(tmp_path, lambda: [Tried("cut", True, "found"), Tried("full", True, "kept")])
    assert (Verdict.HELD, {"tried": 2, "well": 2}) == (finding.verdict, finding.measured)
    assert "cut: found; full: kept" == finding.text


def test_an_evidence_log_that_misses_something_breaks_the_run(tmp_path):
    tried = [Tried("cut", True, "found"), Tried("edited", False, "E_TREE_ROOT was not found")]
    finding = _tested(tmp_path, lambda: tried)
    assert (Verdict.BROKEN, "edited: E_TREE_ROOT was not found") == (finding.verdict, finding.text)


def test_an_evidence_log_that_cannot_be_tried_is_not_known(tmp_path):
    def broken():
        raise EvidenceError("the log is damaged")

    assert Verdict.UNKNOWN is _tested(tmp_path, broken).verdict
    assert Verdict.UNKNOWN is _tested(tmp_path / "two", list).verdict


def test_a_lost_write_breaks_the_check_and_the_promise(tmp_path):
    """shop-lag: how many, and which."""
    ports = _with_two_more(tmp_path)
    check(ports, RUN, reads(lambda: _keys(ports, EARLY)))
    point = found(ports, "recovery_point", "first")
    assert (Verdict.BROKEN, Verdict.BROKEN, {"lost": 1, "allowed": 0}) == (
        found(ports, "lost_writes").verdict, point.verdict, point.measured)
    assert point.text.endswith(EARLY)


def test_all_lost_keys_are_an_artefact(tmp_path):
    ports = _with_two_more(tmp_path)
    check(ports, RUN, reads(lambda: _keys(ports, EARLY, LATE)))
    (kept,) = ports.artefacts.of(RUN)
    assert {"lost": [EARLY, LATE]} == json.loads(ports.artefacts.path(kept).read_bytes())


def test_a_sentence_names_three_keys_and_where_the_others_are(tmp_path):
    ports = ended(tmp_path)
    keys = _keys(ports)
    check(ports, RUN, reads(lambda: keys[5:]))
    texts = [found(ports, "lost_writes").text, found(ports, "recovery_point", "first").text]
    rest = f"{', '.join(keys[:3])} and 2 more, all in the artefact lost_writes-orders.json"
    assert [f"orders: 5 of 400 acknowledged writes are lost: {rest}",
            f"5 acknowledged writes lost, 0 allowed: {rest}"] == texts


def test_a_write_lost_under_a_later_fault_is_that_faults(tmp_path):
    ports = _with_two_more(tmp_path, SECOND_PROMISES)
    check(ports, RUN, reads(lambda: _keys(ports, LATE)))
    lost = [found(ports, "recovery_point", e).measured["lost"] for e in ("first", "second")]
    assert ([0, 1], Verdict.HELD) == (lost, found(ports, "lost_writes").verdict)


def test_what_nobody_promised_to_lose_is_broken_in_the_run(tmp_path):
    ports = _with_two_more(tmp_path, (", recovery_point: 0", ""))
    check(ports, RUN, reads(lambda: _keys(ports, LATE)))
    assert Verdict.BROKEN is found(ports, "lost_writes").verdict
    assert "recovery_point" not in {f.name for f in findings(ports, RUN)}


@pytest.mark.parametrize("error", [FaultError("no primary"), None])
def test_what_cannot_be_read_is_unknown_with_its_reason(tmp_path, error):
    ports = ended(tmp_path)
    if error is None:
        (tmp_path / "shop/history/orders.jsonl").unlink()

    def read():
        raise error

    check(ports, RUN, reads(read))
    seen = found(ports, "lost_writes"), found(ports, "recovery_point", "first")
    assert [Verdict.UNKNOWN] * 2 == [f.verdict for f in seen]
    assert ("no primary" if error else "cannot be read") in seen[1].text


def test_it_waits_for_operations_in_flight(tmp_path):
    ports = ended(tmp_path)
    slow = op(1039.95, 3.0, key="slow")
    record(ports, [*steady(1000, 1039), slow])
    flying = (tmp_path / "shop/history/orders.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "shop/history/orders.jsonl").write_text("".join(flying[:-1]))

    def on_sleep(passed):
        if passed >= 43:
            (tmp_path / "shop/history/orders.jsonl").write_text("".join(flying))

    ports.clock.on_sleep = on_sleep
    check(ports, RUN, reads(lambda: _keys(ports)))
    measured = found(ports, "lost_writes").measured
    assert (391, 0) == (measured["acknowledged"], measured["unsure"])


def test_operations_of_another_kind_write_no_keys(tmp_path):
    ports = ended(tmp_path, ("FROM orders", "FROM orders, operation: put"))
    check(ports, RUN, reads(list))
    assert (Verdict.UNKNOWN, 0) == (
        found(ports, "lost_writes").verdict, found(ports, "lost_writes").measured["acknowledged"])


def test_a_postponed_run_is_not_checked(tmp_path):
    ports = ended(tmp_path)
    set_state(ports, RunState.POSTPONED)
    check(ports, RUN, reads(list))
    assert "lost_writes" not in {f.name for f in findings(ports, RUN)}
