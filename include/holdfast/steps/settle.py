"""Book what a run's faults really cost, and give back the rest."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from holdfast.errors import HoldfastError
from holdfast.model.allowance import BudgetSpec
from holdfast.model.lease import Lease, LeaseState
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.model.suite import Suite
from holdfast.ports.bundle import Ports
from holdfast.steps.blast import blast
from holdfast.steps.book import suite_of
from holdfast.steps.spend import write_balances
from holdfast.steps.traffic import rises_of, window

GIVEN_UP = timedelta(hours=1)
"""A run that has not ended this long after its worst case, twice over, never will."""
_log = logging.getLogger("holdfast.settle")


def settle(ports: Ports, run_id: str) -> None:
    """Spend what each fault cost, release the rest, and say how much traffic each one hit.

    Requests are those that were counted while the fault was on, by the traffic's counter; where
    nobody could count them they cost as the most there may be. A fault whose time is not known, or
    that is not proven to be gone, costs all that was set aside for it. Again changes nothing.
    """
    suite = suite_of(ports, run_id)
    blast(ports, run_id, suite)
    budget = suite.budget
    if budget is None or run_id not in ports.ledger.unsettled():
        return
    costs: dict[str, Decimal] = {}
    figures: dict[str, dict[str, object]] = {}
    leases = ports.leases.leases(run_id=run_id)
    for name in dict.fromkeys(p.experiment for p in ports.ledger.postings(run_id=run_id)):
        own = [x for x in leases if x.experiment == name and x.is_touched]
        requests, seconds, is_known = _felt(ports, suite, budget, own)
        figures[name] = {"requests": requests, "fault_seconds": round(seconds, 3)}
        if is_known:
            costs[name] = budget.cost(requests, seconds)
    ports.ledger.settle(run_id, costs)
    write_balances(ports, run_id, budget.currency, figures)


def settle_at_last(ports: Ports, run_id: str) -> None:
    """Settle what no task has settled; what goes wrong now the janitor does later."""
    try:
        if run_id in ports.ledger.unsettled():
            settle(ports, run_id)
    except HoldfastError as error:
        _log.warning("run %s could not be settled: %s", run_id, error)


def settle_abandoned(ports: Ports) -> None:
    """Settle runs that have ended, or died, with money still set aside."""
    try:
        for run_id in ports.ledger.unsettled():
            run = ports.books.run(run_id)
            if run is None or run.state is not RunState.STARTED or _is_given_up(ports, run):
                settle_at_last(ports, run_id)
                _log.info("run %s: settled", run_id)
    except HoldfastError as error:
        _log.warning("what was set aside for runs that died stays so: %s", error)


def _felt(
    ports: Ports, suite: Suite, budget: BudgetSpec, leases: Sequence[Lease]
) -> tuple[int, float, bool]:
    """Requests and seconds while the fault was on, and whether that is all there was."""
    windows = [window(ports, lease) for lease in leases]
    seen = [within for within in windows if within is not None]
    seconds = sum(end - start for start, end in seen)
    is_known = len(seen) == len(windows) and all(x.state is LeaseState.CLEAN for x in leases)
    if suite.traffic is None:
        return 0, seconds, is_known
    found = rises_of(ports, suite.target.prometheus, suite.traffic.requests, seen)
    return ceil(found.rise + found.unseen * budget.most_requests_per_second), seconds, is_known


def _is_given_up(ports: Ports, run: Run) -> bool:
    """Whether the run is older than it can be; one with a lease that is not clean never is."""
    if ports.leases.leases(run_id=run.id, open_only=True):
        return False
    planned = ports.books.read(run.id, EntryKind.PLAN)
    worst = planned[-1].data.get("worst_case_ms") if planned else 0
    longest = timedelta(milliseconds=2 * (worst if isinstance(worst, int) else 0)) + GIVEN_UP
    return ports.clock.now() - datetime.fromisoformat(run.started_at) > longest

