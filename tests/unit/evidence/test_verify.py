"""E1: every change to a run's evidence is found, and named for what it is."""

import pytest

from holdfast.evidence.keys import new_key
from holdfast.evidence.trouble import Injection
from holdfast.evidence.verify import compared
from holdfast.model.record import Statement
from holdfast.model.run import Run, RunState
from holdfast.model.verdict import Verdict
from support.evidence import PLAN, REPORT, RESULT, RUN, START, Log


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path).whole()


def _codes(checked):
    """What is wrong with records and files; the tree, which every edit changes, has tests below."""
    return [(t.code, t.where) for t in checked.troubles if not t.code.startswith("E_TREE")]


def _tree(checked):
    return [t.code for t in checked.troubles if t.code.startswith("E_TREE")]


def _hold(predicate):
    predicate["verdict"] = "HELD"


def test_a_genuine_run_has_no_trouble(log):
    checked = log.check()
    assert ([], 0, 6, 3, 2) == (
        _codes(checked), checked.exit_code, checked.log_size, checked.records, checked.artefacts)


def test_a_genuine_log_is_the_tree_that_was_signed(log):
    assert [] == _tree(log.check())


def test_records_edited_from_the_first_to_the_last_are_not_the_signed_tree(log):
    """E1: whoever holds the runner's key can chain all records anew, and not sign their root."""
    log.edit(5, lambda p: p.update(verdict="HELD"), log.key.read_bytes())
    checked = log.check()
    assert ([], ["E_TREE_ROOT"], 1) == (_codes(checked), _tree(checked), checked.exit_code)


def test_the_newest_records_cut_off_are_missed_by_the_tree(log):
    log.forge("DELETE FROM record WHERE number = 5")
    assert ([], ["E_TREE_SIZE"]) == (_codes(log.check()), _tree(log.check()))


def test_an_edited_record_is_found(log):
    """E1: BROKEN to HELD inside an envelope."""
    log.edit(4, _hold)
    checked = log.check()
    assert [("E_BAD_SIGNATURE", "record 4"), ("E_CHAIN", "record 5")] == _codes(checked)
    assert 1 == checked.exit_code


def test_a_record_signed_again_with_another_key_is_found(log):
    log.edit(4, _hold, new_key())
    assert [("E_UNTRUSTED_SIGNER", "record 4"), ("E_CHAIN", "record 5")] == _codes(log.check())


def test_a_record_signed_again_with_the_own_key_breaks_the_chain(log):
    log.edit(3, lambda p: p.update(triggered_by="nobody"), log.key.read_bytes())
    assert [("E_CHAIN", "record 4")] == _codes(log.check())


def test_a_record_taken_out_of_the_middle_is_found(log):
    log.forge("DELETE FROM record WHERE number = 1")
    assert [("E_ENTRY_MISSING", "record 1"), ("E_CHAIN", "record 2")] == _codes(log.check())


def test_a_record_taken_out_and_the_others_numbered_anew_is_found(log):
    log.forge("DELETE FROM record WHERE number = 1")
    for number in (2, 3, 4, 5):
        log.forge("UPDATE record SET number = ? WHERE number = ?", number - 1, number)
    codes = {code for code, _ in _codes(log.check())}
    assert {"E_REORDERED", "E_CHAIN"} <= codes


def test_records_in_another_order_are_found(log):
    log.forge("UPDATE record SET number = 99 WHERE number = 3")
    log.forge("UPDATE record SET number = 3 WHERE number = 4")
    log.forge("UPDATE record SET number = 4 WHERE number = 99")
    found = _codes(log.check())
    assert ("E_REORDERED", "record 3") in found
    assert ("E_REORDERED", "record 4") in found


def test_a_row_edited_beside_its_envelope_is_found(log):
    log.forge("UPDATE record SET run_id = 'b' WHERE number = 4")
    assert [("E_ROW_MISMATCH", "record 4")] == _codes(log.check())


def test_a_record_that_is_no_envelope_is_found(log):
    log.forge("UPDATE record SET envelope = ? WHERE number = 0", b"{}")
    assert ("E_MALFORMED", "record 0") in _codes(log.check())


@pytest.mark.parametrize("column", ["run_id", "recorded_at", "envelope"])
def test_a_value_of_another_type_is_malformed(log, column):
    value = "text" if column == "envelope" else b"bytes"
    log.forge(f"UPDATE record SET {column} = ? WHERE number = 0", value)
    assert ("E_MALFORMED", "record 0") in _codes(log.check())


def test_an_edited_file_is_found(log):
    log.files["lost.json"] = b'["k"]'
    assert [("E_ARTEFACT_MISMATCH", "lost.json")] == _codes(log.check())


def test_two_files_exchanged_are_found(log):
    log.files = {"book.json": log.files["lost.json"], "lost.json": log.files["book.json"]}
    assert {("E_ARTEFACT_MISMATCH", "book.json"), ("E_ARTEFACT_MISMATCH", "lost.json")} == set(
        _codes(log.check()))


def test_a_file_that_is_gone_is_only_missing(log):
    del log.files["lost.json"]
    checked = log.check()
    assert ([("E_ARTEFACT_MISSING", "lost.json")], 3) == (_codes(checked), checked.exit_code)


def test_a_signed_report_is_one_of_the_files(log):
    log.add(REPORT)
    checked = log.check()
    assert ([], 3) == (_codes(checked), checked.artefacts)


def test_an_edited_report_is_found(log):
    """E1: what people read is covered as well as what it was made from."""
    log.add(REPORT)
    log.files["report.html"] = b"<p>HELD"
    assert [("E_ARTEFACT_MISMATCH", "report.html")] == _codes(log.check())


def test_a_report_that_is_gone_is_only_missing(log):
    log.add(REPORT)
    del log.files["report.html"]
    checked = log.check()
    assert ([("E_ARTEFACT_MISSING", "report.html")], 3) == (_codes(checked), checked.exit_code)


def test_a_start_without_a_result_is_found(tmp_path):
    """E1: a failed run that was hidden leaves a start."""
    log = Log(tmp_path)
    log.add(PLAN)
    log.add(START)
    checked = log.check()
    assert ([("E_NO_RESULT", RUN)], 3) == (_codes(checked), checked.exit_code)


def test_a_postponed_run_needs_its_plan_only(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    assert [] == _codes(log.check())


def test_a_fault_before_the_start_is_found(log):
    """E1: register before inject."""
    first = log.injected[0]
    log.injected = [Injection("lease-0", first.boot_id, first.boottime_ms - 2000)]
    assert [("E_LATE_START", "lease lease-0")] == _codes(log.check())


def test_a_fault_without_any_start_is_found(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    log.add(RESULT)
    log.injected = [Injection("lease-1", "boot", 1)]
    assert [("E_NO_START", RUN)] == _codes(log.check())


def test_a_start_for_another_plan_is_found(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    log.add(START, plan_digest="sha256:other")
    log.add(RESULT)
    assert [("E_PLAN_DIGEST", "record 2")] == _codes(log.check())


def test_a_run_that_was_cleared_and_went_again_is_genuine(tmp_path):
    log = Log(tmp_path)
    for kind, digest in ((PLAN, "x"), (START, "x"), (RESULT, "x"), (PLAN, "y"), (START, "y"),
                         (RESULT, "y")):
        log.add(kind, plan_digest=digest)
    assert [] == _codes(log.check())


def _stood(state=RunState.ENDED, verdict=None):
    return Run(RUN, "shop", "lab", "ana", "d", "2026", 1.0, state, verdict)


@pytest.mark.parametrize("run", [
    None, _stood(verdict=Verdict.HELD), _stood(), _stood(RunState.POSTPONED)])
def test_books_that_tell_another_verdict_are_found(log, run):
    """E1: BROKEN to HELD beside the log."""
    assert [("E_VERDICT", RUN)] == _codes(compared(log.check(), RUN, run))


def test_books_that_tell_the_signed_verdict_are_genuine(log):
    checked = compared(log.check(), RUN, _stood(verdict=Verdict.BROKEN))
    assert ([], ()) == (_codes(checked), tuple(checked.notes))


def test_a_run_that_is_not_closed_yet_is_noted(log):
    checked = compared(log.check(), RUN, _stood(RunState.STARTED))
    assert ([], ["the books have no verdict yet, the latest signed result says BROKEN"]) == (
        _codes(checked), checked.notes)


def test_a_postponed_run_has_no_verdict_in_the_books(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    log.add(RESULT, is_postponed=True)
    assert [] == _codes(compared(log.check(), RUN, _stood(RunState.POSTPONED)))


def test_a_verdict_that_nobody_signed_is_found(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    checked = compared(log.check(), RUN, _stood(verdict=Verdict.HELD))
    assert ([("E_NO_RESULT", RUN)], 3) == (_codes(checked), checked.exit_code)
    assert [] == _codes(compared(log.check(), RUN, _stood()))


def test_a_run_without_records_is_not_held_against_the_books(log):
    checked = log.check("never")
    assert checked == compared(checked, "never", None)


NOTE = "the result in record {} ({}) is superseded by record {} ({})"


def _with_results(tmp_path, *verdicts):
    log = Log(tmp_path)
    log.add(PLAN)
    log.add(START)
    for verdict in verdicts:
        log.add(*([START] if verdict == "again" else [RESULT]), verdict=verdict)
    return log.check()


@pytest.mark.parametrize(("was", "now"), [
    ("HELD", "HELD"), ("HELD", "UNKNOWN"), ("UNKNOWN", "BROKEN"), ("BROKEN", "BROKEN")])
def test_a_result_that_is_as_bad_or_worse_supersedes_with_a_note(tmp_path, was, now):
    checked = _with_results(tmp_path, was, now)
    assert ([], [NOTE.format(3, was, 4, now)]) == (_codes(checked), checked.notes)


@pytest.mark.parametrize(("was", "now"), [
    ("BROKEN", "HELD"), ("BROKEN", "UNKNOWN"), ("UNKNOWN", "HELD"), ("HELD", "FINE"),
    ("FINE", "HELD")])
def test_a_result_made_better_without_a_new_start_is_found(tmp_path, was, now):
    """E1: whoever holds the key can sign a nicer result, but not in silence."""
    checked = _with_results(tmp_path, was, now)
    assert ([("E_RESULT_CHANGED", "record 4")], 1) == (_codes(checked), checked.exit_code)
    assert f"expected {was}, as in record 3, found {now}" in str(checked.troubles[0])


def test_a_better_result_after_a_new_start_is_a_note(tmp_path):
    checked = _with_results(tmp_path, "BROKEN", "again", "HELD")
    note = NOTE.format(3, "BROKEN", 5, "HELD") + ": the run was started again"
    assert ([], [note]) == (_codes(checked), checked.notes)


def test_a_fault_timed_in_another_boot_is_not_passed_in_silence(log):
    log.injected = [Injection("lease-0", "another", 1), Injection("lease-0", "another", 1)]
    checked = log.check()
    (note,) = checked.notes
    assert ([], True) == (_codes(checked), note.startswith("lease lease-0: not comparable"))


def test_a_run_that_the_log_does_not_know_is_missing(log):
    checked = log.check("never")
    assert ([("E_NO_RUN", "never")], 3) == (_codes(checked), checked.exit_code)


def test_a_clock_that_went_back_is_found(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    log.clock.passed -= 10
    log.add(PLAN)
    assert [("E_BACKDATED", "record 2")] == _codes(log.check())


def test_a_trouble_reads_as_one_sentence(log):
    log.files["lost.json"] = b"x"
    (trouble,) = log.check().troubles
    assert str(trouble).startswith("E_ARTEFACT_MISMATCH lost.json: the file is not the one")


PLACE = {"previous": "", "run_id": RUN, "recorded_at": "", "boottime_ms": 1, "boot_id": ""}


@pytest.mark.parametrize("place", [None, {"index": 4}, PLACE | {"index": "4"}])
def test_a_record_without_a_place_in_the_log_is_found(log, place):
    log.edit(4, lambda p: p.update(log=place), log.key.read_bytes())
    assert ("E_NO_PLACE", "record 4") in _codes(log.check())


def test_a_list_of_files_that_differs_from_the_signed_subjects_is_found(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    told = {"plan_digest": f"sha256:{RUN}", "artefacts": [{"name": "x", "digest": "sha256:0"}]}
    log.notary.append(RUN, Statement(RESULT, {}, told))
    assert [("E_SUBJECTS", "record 2")] == _codes(log.check())


def test_an_experiment_that_was_never_injected_asks_for_no_start(tmp_path):
    log = Log(tmp_path)
    log.add(PLAN)
    log.add(RESULT, experiments=[{"name": "first"}, "nonsense"])
    assert [] == _codes(log.check())
