"""E1: a hidden run or fault leaves a trace somewhere else (tamper cases before export)."""

import pytest

from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.reconcile import Known, reconcile
from holdfast.evidence.trouble import Injection
from support.bundles import World

FAULT = Injection("l1", "boot", 1)


def log(*kinds, name="r", files=()):
    made = World()
    for kind in kinds:
        made.say(kind, name, dict.fromkeys(files, "0"))
    return {r.index: statement_of(read(r.envelope)) for r in made.batch.records}


def codes(statements, known):
    return [(t.code, t.where) for t in reconcile(statements, known)]


WHOLE = log("plan", "run-start", "result", files=["journal-x-l1.jsonl"])


def test_what_all_of_them_know_is_no_trouble():
    assert [] == codes(WHOLE, Known({"r": False}, {"r": [FAULT]}, {"r": True}))


def test_a_run_that_goes_on_has_no_result_yet():
    assert [] == codes(log("plan", "run-start"), Known({"r": True}, {"r": [FAULT]}))


@pytest.mark.parametrize("known", [
    Known({"r": False}, {}), Known({"r": True}, {}, {"r": False})])
def test_a_result_that_was_hidden_is_missed(known):
    """Also where only Airflow knows that the run has ended."""
    assert [("E_NO_RESULT", "r")] == codes(log("plan", "run-start"), known)


def test_a_result_of_before_a_new_start_is_not_its_result():
    told = log("plan", "run-start", "result", "plan", "run-start")
    assert [("E_NO_RESULT", "r")] == codes(told, Known({"r": False}, {}))


def test_a_run_of_which_the_log_knows_nothing_is_missed():
    assert [("E_RUN_NOT_IN_LOG", "r")] == codes({}, Known({"r": False}, {}))
    assert [] == codes({}, Known({"r": True}, {}))


def test_a_run_that_only_airflow_remembers_is_missed_if_it_had_a_fault():
    assert [("E_RUN_NOT_IN_LOG", "r")] == codes({}, Known({}, {}, {"r": True}))
    assert [] == codes({}, Known({}, {}, {"r": False}))


def test_a_run_that_the_books_have_lost_is_told():
    assert [("E_RUN_NOT_IN_BOOKS", "r")] == codes(WHOLE, Known({}, {}))


def test_a_fault_that_no_result_tells_of_is_missed():
    other = log("plan", "run-start", "result", files=["journal-x-l2.jsonl"])
    known = Known({"r": False}, {"r": [FAULT]})
    assert [("E_FAULT_NOT_IN_LOG", "lease l1")] == codes(other, known)


def test_a_fault_without_an_announced_run_is_told():
    told = codes({}, Known({}, {"r": [FAULT]}))
    assert [("E_NO_START", "lease l1")] == told
