"""Kill each party of a real run while its fault is on: nothing is left, and the run ends rightly.

S4, S5. Each case's run is also the proof that the environment was given back by the one before.
"""

import os
import time

import pytest

from holdfast.model.lease import End, LeaseState, Reason
from holdfast.model.verdict import Verdict
from support.kills import IN_LEASE, Case
from support.lab import until
from support.lab_suites import BRIEF_SECONDS

ROUNDS = int(os.environ.get("HOLDFAST_KILL_ROUNDS", "1"))
pytestmark = [pytest.mark.system, pytest.mark.kill, pytest.mark.timeout(300)]

UNKNOWN, HELD = Verdict.UNKNOWN, Verdict.HELD
LONGER_THAN_THE_LEASE = 6.0
TASK_START = 10.0
"""Where a task of Airflow's ends the fault: guarded until then, for as long as a task may take to
start on a busy machine."""


@pytest.fixture
def kill(lab, table, turn):
    """Start a run and wait until its fault is on."""
    def begin(name):
        return Case(lab, table, name, turn)
    yield begin
    lab.thaw()


def test_the_child_reverts_when_the_keepers_parent_is_killed(kill, lab):
    case = kill("keeper, parent")
    case.kill(lab.keeper(case.lease)[:1])
    case.until_clean(within=2.0)
    case.ends("failed", UNKNOWN, End.PARENT_DIED)


def test_the_parent_reverts_when_the_keepers_child_is_killed(kill, lab):
    case = kill("keeper, child")
    case.kill(lab.keeper(case.lease)[1:])
    case.until_clean(within=2.0)
    case.ends("failed", UNKNOWN, End.CHILD_DIED)


def test_a_keeper_that_is_gone_is_noticed_and_its_work_done(kill, lab):
    """By the revert task once the guard has missed the keeper for 3 s, or by the janitor."""
    case = kill("keeper, both processes")
    case.kill(lab.keeper(case.lease))
    case.until_clean(within=3.0 + 10.0)
    case.ends("failed", UNKNOWN, End.ADOPTED)


def test_a_keepers_parent_that_is_frozen_is_outlived_by_its_child(kill, lab):
    case = kill("keeper's parent, SIGSTOP")
    case.now()
    lab.freeze(lab.keeper(case.lease)[:1])
    case.until_clean(within=IN_LEASE)
    lab.thaw()
    case.ends("failed", UNKNOWN, End.PARENT_DIED)


def test_a_frozen_keeper_reverts_at_once_when_it_wakes(kill, lab):
    """The clock runs from SIGCONT: what is frozen cannot act."""
    case = kill("keeper, SIGSTOP for 6 s, SIGCONT")
    lab.freeze(lab.keeper(case.lease))
    time.sleep(LONGER_THAN_THE_LEASE)
    case.now()
    lab.thaw()
    case.until_clean(within=2.0)
    case.ends("failed", UNKNOWN, End.REVOKED)


def test_a_frozen_guard_finds_its_fault_gone_when_it_wakes(kill, lab):
    case = kill("triggerer, SIGSTOP for 6 s, SIGCONT")
    case.now()
    lab.freeze(lab.pids("triggerer"))
    case.until_clean(within=IN_LEASE)
    time.sleep(max(0.0, LONGER_THAN_THE_LEASE - case.seconds))
    lab.thaw()
    case.ends("failed", UNKNOWN, End.SILENCE)


def test_a_prometheus_that_does_not_answer_ends_the_fault_after_the_grace(kill, lab):
    case = kill("Prometheus, SIGSTOP")
    case.now()
    lab.freeze([lab.shop_pid("prometheus")])
    case.until_clean(within=IN_LEASE)
    lab.thaw()
    run = case.ends("failed", UNKNOWN, End.REVOKED)
    assert Reason.NO_DATA is run.leases[0].revoked.reason


@pytest.mark.parametrize("rubbish", [b"", b"not a database" * 400], ids=["gone", "rubbish"])
def test_a_store_that_cannot_be_read_ends_the_fault_within_the_lease(kill, lab, rubbish):
    case = kill(f"lease store, {'rubbish' if rubbish else 'gone'}")
    case.now()
    with lab.store_away(rubbish):
        case.until_clean(within=IN_LEASE)
    case.ends("failed", UNKNOWN, End.SILENCE)


@pytest.mark.brief
def test_clearing_inject_ends_the_first_fault_before_a_second_one_begins(kill, lab):
    case = kill("inject, cleared in Airflow")
    case.now()
    with lab.airflow() as airflow:
        airflow.clear(case.run.suite, case.run.dag_run_id, "round_1.watched.inject")
    case.until_clean(within=TASK_START)
    second = case.run.until_active(1)
    assert second.id != case.lease.id
    run = case.ends("success", HELD, End.REVOKED)
    ends, begins = (
        next(x.boottime for x in run.lines(lease) if x.state is state)
        for lease, state in ((case.lease, LeaseState.CLEAN), (second, LeaseState.INJECTING))
    )
    assert ends < begins


def test_marking_the_run_failed_ends_the_fault(kill, lab):
    case = kill("the run, marked failed in Airflow")
    case.now()
    with lab.airflow() as airflow:
        airflow.mark_failed(case.run.suite, case.run.dag_run_id)
    case.until_clean(within=TASK_START)
    until(lambda: case.run.book.verdict is not None, 60.0)
    case.ends("failed", UNKNOWN, End.REVOKED)


def test_a_killed_triggerer_ends_the_fault_within_the_lease(kill, lab):
    case = kill("triggerer")
    case.kill(lab.pids("triggerer"))
    case.until_clean(within=IN_LEASE)
    case.ends("failed", UNKNOWN, End.SILENCE)


@pytest.mark.brief
def test_a_task_killed_while_it_concludes_leaves_nothing_known(kill, lab):
    """Nobody needs it for the fault; but what it was to say stays unsaid."""
    case = kill("task process of inject, as it resumes")
    until(lambda: lab.tasks() == [], 30.0)  # those that have set the fault up are gone
    until(lambda: lab.tasks() != [], 30.0)
    case.kill(lab.tasks())
    case.until_clean(within=2.0)
    case.ends("failed", UNKNOWN, End.DURATION)


@pytest.mark.brief
@pytest.mark.skipif(ROUNDS < 2, reason="Airflow notices after 60 s; HOLDFAST_KILL_ROUNDS=2")
def test_a_task_killed_with_its_worker_leaves_nothing_known(kill, lab):
    case = kill("worker of inject, with its task, as it resumes")
    until(lambda: lab.tasks() == [], 30.0)
    until(lambda: lab.tasks() != [], 30.0)
    case.kill([*lab.workers_of(lab.tasks()), *lab.tasks()])
    case.until_clean(within=2.0)
    case.ends("failed", UNKNOWN, End.DURATION)


@pytest.mark.brief
def test_a_scheduler_killed_with_all_its_workers_does_not_touch_the_fault(kill, lab):
    """Nobody of them is needed while it is on: it runs its time under guard."""
    case = kill("scheduler and every worker")
    case.kill(lab.pids("scheduler"))
    case.until_clean(within=BRIEF_SECONDS + 2.0)
    case.ends("success", HELD, End.DURATION)


@pytest.mark.brief
def test_a_killed_api_server_does_not_touch_the_fault(kill, lab):
    case = kill("API server")
    case.kill(lab.pids("api-server"))
    case.until_clean(within=BRIEF_SECONDS + 2.0)
    case.ends("success", HELD, End.DURATION)


def test_all_of_airflow_killed_ends_the_fault_within_the_lease(kill, lab):
    case = kill("all of Airflow, its supervisor too")
    case.now()
    lab.kill_airflow()
    case.until_clean(within=IN_LEASE)
    lab.up()
    case.ends("failed", UNKNOWN, End.SILENCE)


def test_stop_needs_no_airflow(kill, lab):
    """S5: the signal, the stops file and the store reach the keeper, whichever is first."""
    case = kill("all of Airflow, then `holdfast stop --all`")
    lab.kill_airflow()
    case.now()
    done = lab.command("stop", "--all", "--why", "enough")
    assert (done.returncode, "1 fault ended, all clean" in done.stdout) == (0, True), done.stderr
    case.until_clean(within=4.0)
    lab.up()
    case.ends("failed", UNKNOWN, End.SIGNAL, End.REVOKED)


def test_stop_with_airflow_up_and_prometheus_down_holds_until_it_is_released(kill, lab):
    """S5: who, when and why; no new fault until a person says so."""
    case = kill("`holdfast stop --all --hold`, Prometheus frozen")
    lab.freeze([lab.shop_pid("prometheus")])
    case.now()
    done = lab.command("stop", "--all", "--hold", "fire drill")
    assert (done.returncode, "1 fault ended, all clean" in done.stdout) == (0, True), done.stderr
    case.until_clean(within=4.0)
    lab.thaw()
    refused = lab.command("run", "brief-0")
    assert (3, True) == (refused.returncode, "fire drill" in refused.stdout), refused.stdout
    assert not lab.command("release", "--all").returncode
    case.ends("failed", UNKNOWN, End.SIGNAL, End.REVOKED)
