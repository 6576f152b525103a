"""The suite's own workloads: when they are sent, and what one proves that ended too early (R6)."""

import json
from dataclasses import replace

import pytest

from holdfast.errors import HoldfastError, Postponed
from holdfast.history.about import About, write_about
from holdfast.history.recorder import Recorder
from holdfast.model.run import RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.plan import explain
from holdfast.plan.plan import make_plan
from holdfast.ports.workloads import Ended
from holdfast.steps.baseline import baseline
from holdfast.steps.book import plan_of, write_finding
from holdfast.steps.check import check
from holdfast.steps.histories import Asked, read
from holdfast.steps.preflight import preflight
from holdfast.steps.seal import seal
from holdfast.steps.verdict import close
from holdfast.steps.workloads import start_workloads
from support import runs, stores, suites
from support.after import ended, found
from support.ports import FakeClock
from support.runs import RUN

NO_POINT = (", recovery_point: 0", "")
SENT = ("objectives:\n", """\
  workloads:
    - {name: ledger, kind: list_append, postgres: shop_db, rate: 20, clients: 3, seed: 9}
objectives:
""")
JUDGED = ("  - {checker: lost_writes, history: orders}",
          "  - {checker: list_append, history: ledger, params: {model: serializable}}")
WELL = Ended({"ok": 100, "fail": 3}, last=2, is_told=True)
SECOND = 1_000_000_000


@pytest.fixture
def ports(tmp_path):
    return runs.planned(tmp_path, SENT, JUDGED, NO_POINT)


def after(tmp_path, ends, rows=None, judged=JUDGED, sent=SENT):
    """A run whose workload has written `rows`, and has ended like that."""
    made = ended(tmp_path, sent, judged, NO_POINT)
    file = made.workloads.history(RUN, "ledger")
    file.parent.mkdir(parents=True)
    rows = stores.rows(seed=1, size=120, level="serializable") if rows is None else rows
    file.write_text("".join(
        json.dumps(row | {"time": 1000 * SECOND + row["index"] * SECOND // 50}) + "\n"
        for row in rows))
    write_about(file, About(workload="list_append", seed=9, checker="list_append",
                            options={"model": "strict-serializable"}))
    made.workloads.ends = {} if ends is None else {"ledger": ends}
    return made


def test_a_workload_is_sent_from_before_the_baseline(ports):
    seen = []
    ports.clock.on_sleep = lambda _: seen.append(list(ports.workloads.running))
    baseline(ports, RUN)
    assert ["ledger"] == seen[0] == seen[-1]


def test_it_ends_by_itself_when_the_run_takes_longer_than_its_plan_says(ports):
    start_workloads(ports, RUN)
    spec, seconds = ports.workloads.running["ledger"]
    worst = plan_of(ports, RUN)["worst_case_ms"] / 1000
    assert (9, True) == (spec.seed, worst < seconds < worst + 120)


def test_a_run_whose_workload_does_not_begin_is_postponed_and_leaves_none(tmp_path):
    two = (SENT[0], SENT[1].replace("objectives:\n", "    - {name: other, kind: bank, "
                                    "postgres: shop_db}\nobjectives:\n"))
    both = (JUDGED[0], JUDGED[1] + "\n  - {checker: bank, history: other}")
    ports = runs.planned(tmp_path, two, both, NO_POINT)
    ports.workloads.refuse = "other"
    with pytest.raises(Postponed, match="workload other: no place to write"):
        start_workloads(ports, RUN)
    assert {} == ports.workloads.running
    assert ["stop", "start ledger", "start other", "stop"] == ports.workloads.calls


def test_a_suite_without_workloads_starts_nothing(tmp_path):
    ports = runs.planned(tmp_path)
    start_workloads(ports, RUN)
    assert [] == ports.workloads.calls


def test_it_has_ended_before_its_history_is_judged_and_is_held(tmp_path):
    ports = after(tmp_path, None)
    ports.workloads.on_stop = lambda: ports.workloads.ends.update(ledger=WELL)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert Verdict.HELD is finding.verdict, finding.text


@pytest.mark.parametrize(("ends", "why"), [
    pytest.param(None, "the workload died before it was stopped", id="killed"),
    pytest.param(replace(WELL, is_told=False), "ended by itself before the rounds were over",
                 id="too-early"),
    pytest.param(replace(WELL, last=7, unread=2), "2 of its 7 last reads were not answered",
                 id="not-read-back"),
    pytest.param(replace(WELL, outcomes={"ok": 9}), "9 operations were acknowledged",
                 id="too-few"),
    pytest.param(replace(WELL, error="a pooler drops it"), "could not go on: a pooler drops it",
                 id="refused"),
])
def test_what_is_right_in_a_history_that_ended_too_early_is_not_known(tmp_path, ends, why):
    ports = after(tmp_path, ends)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert Verdict.UNKNOWN is finding.verdict
    assert why in finding.text


def test_what_is_wrong_stays_wrong_however_its_workload_ended(tmp_path):
    rows = stores.rows(seed=2, size=400, level="serializable", bug="stale-read")
    ports = after(tmp_path, None, rows)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert Verdict.BROKEN is finding.verdict
    assert "the workload died" in finding.text


def test_its_history_is_sealed_and_whoever_checks_it_later_needs_no_suite(tmp_path):
    ports = after(tmp_path, WELL)
    check(ports, RUN)
    seal(ports, RUN)
    kept = {a.name: a for a in ports.artefacts.of(RUN)}
    again = read(Asked(ports.artefacts.path(kept["history-ledger.jsonl"])))
    assert ("list_append", "valid", 9) == (again.name, again.judge().outcome, again.about.seed)
    assert {"first", "beside", "second"} == set(again.faults())
    assert kept["history-ledger.jsonl"].digest == f"sha256:{again.opened.digest}"


def test_a_history_that_no_check_came_to_is_sealed_all_the_same(tmp_path):
    ports = after(tmp_path, WELL)
    seal(ports, RUN)
    assert "history-ledger.jsonl" in {a.name for a in ports.artefacts.of(RUN)}


def test_what_a_checker_must_know_of_the_workload_it_is_told(tmp_path):
    """The bank's total: no suite says it."""
    sent = (SENT[0], SENT[1].replace("list_append", "bank"))
    ports = after(tmp_path, WELL, [], ("  - {checker: lost_writes, history: orders}",
                                       "  - {checker: bank, history: ledger}"), sent)
    file = ports.workloads.history(RUN, "ledger")
    write_about(file, About(workload="bank", checker="bank", options={"total": 800}))
    file.unlink()
    with Recorder(file, FakeClock()) as recorder:
        client = recorder.client()
        for _ in range(40):
            with client.call("read") as call:
                call.value = {"0": 801}
    check(ports, RUN)
    finding = found(ports, "bank")
    assert Verdict.BROKEN is finding.verdict, finding.text
    assert "801" in finding.text


def test_the_verdict_ends_what_no_check_came_to(tmp_path):
    ports = after(tmp_path, None)
    ports.workloads.calls.clear()
    close(ports, RUN)
    assert ["stop"] == ports.workloads.calls


def test_one_that_does_not_go_delays_no_verdict(tmp_path, caplog):
    ports = after(tmp_path, None)
    ports.workloads.stuck = "process 7 does not go"
    check(ports, RUN)
    with pytest.raises(HoldfastError, match="UNKNOWN"):
        close(ports, RUN)
    assert RunState.ENDED is ports.books.run(RUN).state
    assert "process 7 does not go" in caplog.text


def test_one_that_would_not_begin_postpones_the_run_at_preflight(ports):
    """There is no connections file here."""
    with pytest.raises(Postponed, match=r"workload ledger: .*there is no connections file"):
        preflight(ports, RUN)


def test_a_plan_tells_and_draws_what_is_sent(tmp_path):
    suite = suites.suite(SENT, ("  - {checker: lost_writes, history: orders}",
                                "  - {checker: lost_writes, history: orders}\n"
                                "  - {checker: list_append, history: ledger}"))
    plan = make_plan(suite, "sha256:0", suites.drivers(), str(tmp_path))
    told = "list_append on shop_db, 20 a second from 3 sessions, serializable, pause 2ms"
    assert f"  ledger: {told}\n" in explain.text(plan)
    (strict,) = (w.model_copy(update={"synchronous": True}) for w in plan.workloads)
    assert f"{told}, if a COMMIT waits for a standby" == str(strict)
    assert {"ledger": told} == plan.as_json()["workloads"]
    assert 'ledger_sent[/"ledger<br/>list_append"/] -. judged .-> checks' in explain.mermaid(plan)


def test_what_a_workload_lost_is_said_beside_what_the_experiments_say(tmp_path):
    """Its recovery point, in rows and seconds, stands nowhere else."""
    sent = (SENT[0], SENT[1].replace("list_append", "set"))
    both = (JUDGED[0], f"{JUDGED[0]}\n  - {{checker: lost_writes, history: ledger}}")
    ports = ended(tmp_path, sent, both)
    for finding in (
        Finding("recovery_point", Verdict.BROKEN, "9 lost, 0 allowed", "first"),
        Finding("lost_writes-orders", Verdict.BROKEN, "orders: 9 are lost"),
        Finding("lost_writes-ledger", Verdict.BROKEN, "ledger: 4 are lost; recovery point: 2 s"),
    ):
        write_finding(ports, RUN, finding)
    with pytest.raises(HoldfastError) as told:
        close(ports, RUN)
    assert "ledger: 4 are lost; recovery point: 2 s" in str(told.value)
    assert "orders: 9 are lost" not in str(told.value)
