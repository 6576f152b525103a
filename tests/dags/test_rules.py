"""The trigger rules, decided by Airflow's own scheduler code: which run ends how (DESIGN 4)."""

import pytest

from support.airflow import DecidingScheduler

pytestmark = pytest.mark.dag

FIRST = ("round_1.left", "round_1.right")
LAST = "round_2.last"


def run(dags, request, **fates):
    """Let the run of this test happen; `round_1_left_arm` stands for `round_1.left.arm`."""
    return scheduler(dags, **fates).run(_name(request))


def scheduler(dags, **fates):
    names = {t.task_id.replace(".", "_"): t.task_id for t in dags.dags["two-rounds"].tasks}
    by_id = {names[name]: fate for name, fate in fates.items()}
    return DecidingScheduler(dags.dags["two-rounds"], by_id)


def _name(request):
    return f"manual__{request.node.name}".replace("[", "_").replace("]", "")


def test_all_well_ends_success(dags, request):
    """O2: every task runs, the run is green."""
    state, tasks = run(dags, request)
    assert ("success", {"success"}) == (state, set(tasks.values()))


def test_an_abort_is_reverted_and_ends_failed(dags, request):
    """S4: the guard tripped; revert, recovery, evidence and verdict still run."""
    state, tasks = run(dags, request, round_1_left_inject="failed", verdict="failed")
    assert "failed" == state
    after = ("round_1.left.revert", "round_1.left.recovery", "round_1.right.inject", f"{LAST}.arm",
             "consistency", "settle", "score", "seal", "report")
    assert {"success"} == {tasks[t] for t in after}


def test_a_failed_verdict_alone_fails_the_run(dags, request):
    """The stores say BROKEN although every task ran: the run must not be green."""
    assert "failed" == run(dags, request, verdict="failed")[0]


@pytest.mark.parametrize("first", ["preflight", "reserve"])
def test_postponed_before_reserve_skips_the_rest_and_ends_success(dags, request, first):
    """S3: no lock was taken, so there is nothing to close."""
    state, tasks = run(dags, request, **{first: "skipped"})
    assert "success" == state
    assert {"skipped"} == {s for t, s in tasks.items() if t not in ("plan", "preflight")}


@pytest.mark.parametrize("first", ["baseline", "round_1_steady"])
def test_postponed_after_reserve_skips_the_faults_and_closes_the_run(dags, request, first):
    """S3: verdict gives the environment back.

    Rules alone cannot stop round 2, consistency and the evidence here: their operators skip
    themselves when the book says postponed (see test_operators).
    """
    closing = ("consistency", "settle", "score", "seal", "report")
    gone = dict.fromkeys(("round_2_steady", *closing), "skipped")
    state, tasks = run(dags, request, **{first: "skipped"}, **gone)
    assert "success" == state
    assert "success" == tasks["verdict"]
    assert {"skipped"} == {s for t, s in tasks.items() if t.split(".")[-1] in
                           ("arm", "inject", "revert", "recovery")}


def test_a_plan_that_is_not_approved_skips_the_rest_and_ends_success(dags, request):
    """S6: refused or not answered, the run is postponed; nothing was reserved."""
    made = DecidingScheduler(dags.dags["asked-first"], {"approval": "skipped"})
    state, tasks = made.run(_name(request))
    before = ("plan", "preflight")
    assert "success" == state
    assert {"skipped"} == {s for t, s in tasks.items() if t not in before}


def test_a_plan_that_is_approved_goes_on_as_any_other(dags, request):
    """S6: the task passes at once where nobody need be asked, or after a yes."""
    state, tasks = DecidingScheduler(dags.dags["asked-first"], {}).run(_name(request))
    assert ("success", {"success"}) == (state, set(tasks.values()))


def test_preflight_failed_ends_failed_without_touching_anything(dags, request):
    """Not postponed but broken: nothing was reserved, nothing is armed, the run is red."""
    state, tasks = run(dags, request, preflight="failed")
    assert "failed" == state
    assert {"upstream_failed"} == {s for t, s in tasks.items() if t not in ("plan", "preflight")}


def test_a_fault_left_out_does_not_skip_later_rounds(dags, request):
    """O2: the person left `left` out."""
    state, tasks = run(dags, request, round_1_left_arm="skipped")
    assert "success" == state
    assert {"skipped"} == {tasks[f"round_1.left.{t}"] for t in ("inject", "revert", "recovery")}
    assert {"success"} == {tasks[f"{LAST}.{t}"] for t in ("arm", "inject", "revert", "recovery")}


def test_a_whole_round_left_out_does_not_skip_later_rounds(dags, request):
    """O2: nobody of round 1 was chosen."""
    state, tasks = run(dags, request, round_1_left_arm="skipped", round_1_right_arm="skipped")
    assert ("success", "success") == (state, tasks[f"{LAST}.inject"])


def test_revert_failed_starts_no_further_round(dags, request):
    """S5: the worst outcome there is; evidence and verdict still run."""
    state, tasks = run(dags, request, round_1_left_revert="failed", verdict="failed")
    assert state == "failed"
    assert {"upstream_failed"} == {s for t, s in tasks.items() if t.startswith("round_2.")}
    assert {"success"} == {tasks[t] for t in ("consistency", "settle", "score", "seal", "report")}


def test_a_failed_revert_alone_does_not_fail_a_run_in_airflow(dags, request):
    """A revert with tasks after it is no leaf, whatever its flag: why verdict looks for itself."""
    assert run(dags, request, round_2_last_revert="failed")[0] == "success"


def test_consistency_failed_still_seals_and_reports(dags, request):
    """R6: data was lost; the evidence must say so."""
    state, tasks = run(dags, request, consistency="failed", verdict="failed")
    assert "failed" == state
    assert {"success"} == {tasks["seal"], tasks["report"]}


def test_arm_failed_does_not_run_its_inject_or_revert(dags, request):
    """A setup that failed has touched nothing; its neighbour is still reverted."""
    state, tasks = run(dags, request, round_1_left_arm="failed", verdict="failed")
    assert "failed" == state
    assert {"upstream_failed"} == {tasks[f"round_1.left.{t}"] for t in ("inject", "revert")}
    assert "success" == tasks["round_1.right.revert"]
    assert "upstream_failed" == tasks[f"{LAST}.arm"]


def test_marked_failed_by_hand_still_reverts_and_ends_failed(dags, request):
    """S5: somebody marks the run failed while `left` is active."""
    state, tasks = run(dags, request, round_1_left_inject=_mark_failed, verdict="failed")
    assert "failed" == state
    assert ("success", "failed") == (tasks["round_1.left.revert"], tasks["verdict"])
    closing = ("consistency", "settle", "score", "seal", "report")
    assert {"skipped"} == {tasks[t] for t in (*closing, f"{LAST}.arm")}


def test_marked_failed_by_hand_the_verdict_waits_for_every_revert(dags, request):
    """S5: the report before it was skipped at once; a fault may still be on."""
    made = scheduler(dags, round_1_left_inject=_mark_failed, verdict="failed")
    made.run(_name(request))
    assert made.decided["verdict"] > made.decided["round_1.left.revert"]
    assert made.decided["verdict"] > made.decided["round_1.right.revert"]


def _mark_failed(dag_run):
    from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
    from airflow.sdk import TaskInstanceState
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    task = dag_run.get_task_instance("round_1.left.inject", session=session)
    task.set_state(TaskInstanceState.DEFERRED, session=session)
    session.flush()
    set_dag_run_state_to_failed(
        dag=dag_run.dag, run_id=dag_run.run_id, commit=True, session=session
    )
    return "failed"
