"""E1: the log against the real books and journals of a deployment."""

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.model.fault import Fault, Recipe
from holdfast.model.lease import LeaseState
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.settings import Settings
from holdfast.steps.reconcile import reconciled
from holdfast.wiring import ports as wired
from support.leases import a_lease

RUN = Run("s--1", "s", "env", "ana", "sha256:p", "2026-01-01T00:00:00+00:00", 1.0)


@pytest.fixture
def ports(tmp_path):
    made = wired(Settings(tmp_path, tmp_path / "experiments"))
    made.books.open_run(RUN)
    for kind in ("plan", "run-start"):
        made.notary.append(RUN.id, Statement(f"{PREDICATES}{kind}/v1", {}, {}))
    lease = a_lease(id="l1", run_id=RUN.id)
    fault = Fault("noop", "x", {}, str(tmp_path), timedelta(seconds=1))
    journal = made.journals.create(lease, fault, Recipe("l1", "noop", {}))
    journal.write(LeaseState.INJECTING)
    return made


def end(ports, *files):
    subjects = dict.fromkeys(files, "0" * 64)
    ports.notary.append(RUN.id, Statement(f"{PREDICATES}result/v1", subjects, {}))
    ports.books.close_run(replace(RUN, state=RunState.ENDED, verdict=Verdict.HELD))


def codes(ports, airflow=None):
    return [t.code for t in reconciled(ports, airflow)]


def test_a_run_from_its_beginning_to_its_end_is_complete(ports):
    assert [] == codes(ports)
    end(ports, "journal-x-l1.jsonl")
    assert [] == codes(ports, {RUN.id: False})


def test_a_fault_that_was_kept_from_the_result_is_found_by_its_journal(ports):
    end(ports)
    assert ["E_FAULT_NOT_IN_LOG"] == codes(ports)


def test_a_run_that_died_is_told_once_airflow_knows_that_it_ended(ports):
    assert ["E_NO_RESULT", "E_FAULT_NOT_IN_LOG"] == codes(ports, {RUN.id: False})


def test_a_run_that_was_postponed_before_it_had_a_plan_has_nothing_to_sign(ports):
    early = replace(RUN, id="s--2", plan_digest="", state=RunState.POSTPONED)
    ports.books.open_run(early)
    ports.books.close_run(early)
    assert [] == codes(ports)


def test_a_damaged_record_is_told_and_the_rest_compared(ports, tmp_path):
    with sqlite3.connect(tmp_path / "books.db") as db:
        db.execute("DROP TRIGGER record_no_update")
        db.execute("UPDATE record SET envelope = '{}' WHERE number = 2")
    db.close()
    assert ["E_MALFORMED", "E_NO_START"] == codes(ports)


def test_a_damaged_journal_is_for_the_janitor_to_tell(ports, tmp_path):
    (tmp_path / "journal" / "l1.jsonl").write_text("nonsense")
    assert [] == codes(ports)
