"""Kill each part of Airflow while a fault is armed, and while it is being reverted (S3 S4 N1).

While it is active: test_kills.py. Whatever dies, the fault is never there without a guard, the
target is itself again, the books tell no success that nobody saw, and the next run works.
"""

import pytest

from holdfast.model.lease import LeaseState
from holdfast.model.verdict import Verdict
from support.kills import Kill, check_leases
from support.lab import boottime, until
from support.lab_suites import LEASE_SECONDS, STAGED

pytestmark = [pytest.mark.system, pytest.mark.kill, pytest.mark.timeout(400)]
PARTIES = {
    "a task's process": lambda lab: lab.tasks(),
    "every worker": lambda lab: lab.workers(),
    "triggerer": lambda lab: lab.pids("triggerer"),
    "scheduler and every worker": lambda lab: lab.pids("scheduler"),
    "API server": lambda lab: lab.pids("api-server"),
    "all of Airflow": None,
}
GUARDLESS = ("triggerer", "all of Airflow")
REPAIR = 30.0
"""How long the shop's supervisor and the run's own tasks may take to have all as it was."""


@pytest.mark.parametrize("party", PARTIES)
@pytest.mark.parametrize("suite", STAGED)
def test_whoever_dies_the_fault_does_not_stay(lab, table, strike, suite, party):
    state = LeaseState.ARMED if suite.startswith("late") else LeaseState.REVERTING
    run = lab.trigger(suite)
    until(lambda: bool(run.leases), 90.0, lambda: f"{run.id}: no lease")
    lease = run.leases[0]
    until(lambda: lease.id in lab.ports.journals.ids(), 15.0, lambda: f"{run.id}: no journal")
    until(lambda: [x.state for x in run.lines(lease)][-1:] == [state], 90.0,
          lambda: str(run.lines(lease)))
    recipe = lab.ports.journals.open(lease.id).recipe()
    struck = boottime()
    strike(party)
    clean = run.until_state(lease, LeaseState.CLEAN, REPAIR + LEASE_SECONDS)
    driver = lab.ports.drivers[lease.fault_type]
    left = driver.residue(recipe) and driver.residue(recipe) and driver.residue(recipe)
    if party in GUARDLESS and state is LeaseState.ARMED:
        begun = [x.boottime for x in run.lines(lease) if x.state is LeaseState.INJECTING]
        assert not begun, "a fault began that nobody watched"
    if party == "all of Airflow":
        lab.up()
    ended = run.until_over(200.0)
    table.kills.append(Kill(f"{party}: {state}, {lease.fault_type}", clean - struck, len(left),
                            f"{ended} {run.book.standing}"))
    assert not left
    assert (ended, run.book.verdict) in (("success", Verdict.HELD), ("failed", Verdict.UNKNOWN))
    check_leases(run)
    there = lab.ports.leases.environment(lease.environment)
    assert ("", "") == (there.locked_by, there.hold)


@pytest.fixture
def strike(lab):
    """SIGKILL to a part of Airflow; what the supervisor does not start again is started after."""
    def act(party):
        if PARTIES[party] is None:
            lab.kill_airflow()
        else:
            lab.kill(PARTIES[party](lab))
    return act
