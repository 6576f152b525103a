"""What operators do around their step, without running Airflow."""

from dataclasses import replace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from holdfast.errors import (
    CheckError,
    GuardTripped,
    HoldfastError,
    Postponed,
    ResidueError,
    SpecError,
    TransientFaultError,
)
from holdfast.model.lease import LeaseState
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.provider import border
from holdfast.provider.operators.consistency import ConsistencyOperator
from holdfast.provider.operators.plan import PlanOperator
from holdfast.provider.operators.preflight import PreflightOperator
from holdfast.provider.operators.report import ReportOperator
from holdfast.provider.operators.reserve import ReserveOperator
from holdfast.provider.operators.seal import SealOperator
from holdfast.provider.operators.sweep import SweepOperator
from holdfast.provider.runs import RunOf
from holdfast.steps import book
from support import runs
from support.after import ended
from support.bench import Bench
from support.ports import memory_ports

RUN = Run("s--r", "s", "nowhere", "sre", "sha256:0", "2026-01-01T00:00:00Z", 0.0)
OF = RunOf("s--r", "s", "sre", {"experiments": ["left"], "dry_run": False})


@pytest.fixture
def ports(tmp_path):
    """Ports of a deployment in which RUN has begun."""
    made = memory_ports(tmp_path)
    made.books.open_run(RUN)
    return made


def end(ports, **changes):
    """Let the run be over."""
    ports.books.close_run(replace(RUN, **changes))


def told(ports):
    """The findings of RUN by name."""
    return {f.name: f for f in book.findings(ports, RUN.id)}


@pytest.mark.parametrize("error", [
    SpecError("x"), GuardTripped("x"), CheckError("x"), Postponed("x"), HoldfastError("x"),
])
def test_what_a_retry_cannot_mend_fails_for_good(error):
    with pytest.raises(AirflowFailException, match="x"), border.airflow_words():
        raise error


@pytest.mark.parametrize("error", [
    TransientFaultError("x"), ResidueError("x", lease="l"), ZeroDivisionError("x"),
])
def test_what_a_retry_may_mend_is_left_to_airflow(error):
    with pytest.raises(type(error), match="x"), border.airflow_words():
        raise error


@pytest.mark.parametrize("operator", [PreflightOperator, ReserveOperator, SealOperator])
def test_a_postponed_run_goes_no_further(ports, operator):
    end(ports, state=RunState.POSTPONED, reason="busy")
    with pytest.raises(AirflowSkipException, match="busy"):
        operator(task_id="t").step(ports, OF)


@pytest.mark.parametrize("operator", [PreflightOperator, ReserveOperator])
def test_clearing_tasks_of_a_judged_run_leaves_the_last_word_to_verdict(ports, operator):
    """A skip would skip verdict too, and a BROKEN run would turn green."""
    end(ports, state=RunState.ENDED, verdict=Verdict.BROKEN)
    assert operator(task_id="t").step(ports, OF) is None


def test_a_judged_run_is_not_planned_again(ports):
    end(ports, state=RunState.ENDED, verdict=Verdict.HELD)
    plan = PlanOperator(task_id="plan", suite_file="s.suite.yaml", experiments=["left"])
    with pytest.raises(SpecError, match="trigger a new run"):
        plan.step(ports, OF)


def test_a_report_may_be_written_again_after_the_end(ports, monkeypatch):
    end(ports, state=RunState.ENDED, verdict=Verdict.BROKEN)
    written = []
    monkeypatch.setattr("holdfast.steps.report.report", lambda _, run_id: written.append(run_id))
    ReportOperator(task_id="report").step(ports, OF)
    assert [RUN.id] == written


@pytest.mark.parametrize(("states", "text"), [
    pytest.param({"round_1.left.revert": "failed", "consistency": "success"},
                 "round_1.left.revert", id="a-revert"),
    pytest.param({"round_1.left.inject": "failed", "consistency": "skipped"},
                 "consistency, round_1.left.inject", id="marked-failed-by-hand"),
    pytest.param({"consistency": "failed"}, "consistency", id="a-check"),
])
def test_a_task_that_failed_is_a_finding(ports, states, text):
    border.note_failed_tasks(ports, RUN.id, states)
    assert Finding("tasks", Verdict.UNKNOWN, f"Did not succeed in Airflow: {text}."
                   ) == told(ports)["tasks"]


def test_an_abort_with_its_finding_needs_no_other(ports):
    book.write_finding(ports, RUN.id, Finding("fault", Verdict.BROKEN, "breach", "left"))
    border.note_failed_tasks(
        ports, RUN.id, {"round_1.left.inject": "failed", "consistency": "success"})
    assert "tasks" not in told(ports)


def test_a_failed_revert_is_noted_even_beside_an_abort(ports):
    book.write_finding(ports, RUN.id, Finding("fault", Verdict.BROKEN, "breach", "left"))
    border.note_failed_tasks(
        ports, RUN.id, {"round_1.left.revert": "failed", "consistency": "success"})
    assert "tasks" in told(ports)


@pytest.mark.parametrize(("swept", "fails"), [
    ([], False), (["lease a: clean"], False), (["lease a: clean", "lease b: x is unclean"], True),
])
def test_upkeep_fails_when_something_is_not_clean(ports, monkeypatch, swept, fails):
    monkeypatch.setattr("holdfast.provider.wiring.ports", lambda: ports)
    monkeypatch.setattr("holdfast.steps.janitor.sweep", lambda _: swept)
    operator = SweepOperator(task_id="sweep")
    if fails:
        with pytest.raises(AirflowFailException, match="lease b: x is unclean"):
            SweepOperator.execute.__wrapped__(operator, {})
    else:
        SweepOperator.execute.__wrapped__(operator, {})


def test_what_a_killed_arm_left_armed_is_ended_before_the_run_is_judged(tmp_path):
    """S3: a result once signed stays, and this one would say BROKEN of an untouched target."""
    bench, held = Bench(tmp_path), ended(tmp_path)
    ports = replace(bench.ports, books=held.books, notary=held.notary, artefacts=held.artefacts)
    try:
        bench.arm(run_id=runs.RUN, experiment="first")
        SealOperator(task_id="seal").step(ports, RunOf(runs.RUN, "checkout", "sre", {}))
        armed = bench.row
    finally:
        bench.close()
    sealed = ports.books.read(runs.RUN, EntryKind.VERDICT)[-1]
    assert (LeaseState.CLEAN, "HELD") == (armed.state, sealed.data["verdict"])


def test_no_check_runs_beside_a_lease_that_never_touched_its_target(tmp_path, monkeypatch):
    """Its keeper could yet inject while the data is read."""
    bench, held = Bench(tmp_path), ended(tmp_path)
    ports = replace(bench.ports, books=held.books, notary=held.notary, artefacts=held.artefacts)
    seen = []
    monkeypatch.setattr("holdfast.steps.check.check", lambda *_: seen.append(bench.row.state))
    try:
        bench.arm(run_id=runs.RUN, experiment="first")
        ConsistencyOperator(task_id="t").step(ports, RunOf(runs.RUN, "checkout", "sre", {}))
    finally:
        bench.close()
    assert [LeaseState.CLEAN] == seen


def test_the_checks_run_though_such_a_lease_cannot_be_ended(ports, monkeypatch):
    """`seal` tries again, and `verdict` tells what is left."""
    def refuse(*_):
        raise ResidueError("no answer", lease="a")

    seen = []
    monkeypatch.setattr("holdfast.steps.check.check", lambda *_: seen.append("checked"))
    monkeypatch.setattr("holdfast.steps.let_go.let_go_untouched", refuse)
    ConsistencyOperator(task_id="t").step(ports, OF)
    assert ["checked"] == seen
