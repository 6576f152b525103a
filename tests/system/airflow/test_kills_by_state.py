"""Kill each part of Airflow while a fault is armed, and while it is being reverted (S3 S4 N1).

While it is active: test_kills.py. Whatever dies, the fault is never there without a guard, the
target is itself again, the books tell no success that nobody saw, and the next run works.
"""

import pytest

from holdfast.model.lease import ARMED_SECONDS, LeaseState
from holdfast.model.verdict import Verdict
from support.kills import Kill, check_leases
from support.lab import boottime, until
from support.lab_suites import DELAY_SECONDS, LEASE_SECONDS, STAGED

pytestmark = [pytest.mark.system, pytest.mark.kill, pytest.mark.timeout(500)]
BUSY = ("a task's process", "a task's process and its worker")
PARTIES = (*BUSY, "triggerer", "scheduler and every worker", "API server", "all of Airflow")
CASES = [
    (suite, party) for suite in STAGED for party in PARTIES
    if suite != "late-api" or party not in BUSY  # no task runs while the triggerer keeps the guard
]
REPAIR = 30.0
"""How long the shop's supervisor and the run's own tasks may take to have all as it was."""
EXPIRY = ARMED_SECONDS + DELAY_SECONDS + 10.0
"""How long a lease may stay armed of which nobody knows any more; its target is untouched."""


@pytest.mark.parametrize(("suite", "party"), CASES)
def test_whoever_dies_the_fault_does_not_stay(lab, table, suite, party):
    state = LeaseState.ARMED if suite.startswith("late") else LeaseState.REVERTING
    run = lab.trigger(suite)
    lease = _met(lab, run, state, is_watched=suite == "late-api")
    recipe = lab.ports.journals.open(lease.id).recipe()
    struck = boottime()
    _strike(lab, party)
    limit = REPAIR + LEASE_SECONDS if state is LeaseState.REVERTING else EXPIRY
    clean = run.until_state(lease, LeaseState.CLEAN, limit)
    left = lab.ports.drivers[lease.fault_type].residue(recipe)
    if party == "all of Airflow":
        begun = [x for x in run.lines(lease) if x.state is LeaseState.INJECTING]
        assert state is LeaseState.REVERTING or not begun, "a fault began that nobody watched"
        lab.up()
    ended = run.until_over(200.0)
    table.kills.append(Kill(f"{party}: {state}, {lease.fault_type}", clean - struck, len(left),
                            f"{ended} {run.book.standing}"))
    assert not left
    assert (ended, run.book.verdict) in (("success", Verdict.HELD), ("failed", Verdict.UNKNOWN))
    check_leases(run)
    there = lab.ports.leases.environment(lease.environment)
    assert ("", "") == (there.locked_by, there.hold)


def _met(lab, run, state, *, is_watched):
    """The run's lease as soon as it is there: with its guard, or while `arm` still waits."""
    until(lambda: bool(run.leases), 90.0, lambda: f"{run.id}: no lease")
    lease = run.leases[0]
    until(lambda: lease.id in lab.ports.journals.ids(), 15.0, lambda: f"{run.id}: no journal")
    until(lambda: run.lines(lease)[-1].state is state, 90.0, lambda: str(run.lines(lease)))
    until(lambda: not is_watched or run.leases[0].counter > 0, 15.0, lambda: "no guard")
    return lease


def _strike(lab, party):
    """SIGKILL; what the supervisor does not start again is started after."""
    if party == "all of Airflow":
        lab.kill_airflow()
    elif party in BUSY:
        until(lambda: bool(lab.tasks()), 15.0, lambda: "no task runs")
        tasks = lab.tasks()
        lab.kill([*lab.workers_of(tasks if party == BUSY[1] else ()), *tasks])
    elif party == "scheduler and every worker":
        lab.kill(lab.pids("scheduler"))
    else:
        lab.kill(lab.pids({"triggerer": "triggerer", "API server": "api-server"}[party]))
