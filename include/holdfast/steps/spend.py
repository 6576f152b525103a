"""Set money aside for a run, and tell each guard how far its fault may go."""

from collections.abc import Mapping
from decimal import Decimal

from holdfast.model.ledger import Balance, Claim
from holdfast.model.run import Entry, EntryKind
from holdfast.model.suite import Experiment, Suite
from holdfast.ports.bundle import Ports
from holdfast.safety.conditions import Watch, watch_of
from holdfast.safety.ledger import balance, by_experiment
from holdfast.safety.meter import Allowed, Purse
from holdfast.steps.book import experiment_of, plan_of, run_of, suite_of
from holdfast.steps.traffic import latest, rise_of, whole_run

WHOLE_RUN = "run"
"""Name of the entry that sums up a run's experiments."""


def set_aside(ports: Ports, run_id: str, suite: Suite) -> None:
    """Reserve the plan's worst case of each experiment, on the budget's date of now.

    Postponed, with what is left, if all runs of that day together would take more than the suite's
    limit. Nothing happens without a budget; again changes nothing.
    """
    budget = suite.budget
    if budget is None:
        return
    ports.ledger.reserve(Claim(
        run_id, budget.day(ports.clock.now()), budget.currency, budget.per_day,
        worst_costs(ports, run_id), budget.time_zone,
    ))
    write_balances(ports, run_id, budget.currency)


def worst_costs(ports: Ports, run_id: str) -> dict[str, Decimal]:
    """What each experiment may cost, by the plan in the book."""
    planned = plan_of(ports, run_id)["experiments"]
    found = planned if isinstance(planned, list) else []
    return {str(e["name"]): Decimal(str(e["worst_cost"])) for e in found if "worst_cost" in e}


def give_back(ports: Ports, run_id: str) -> None:
    """Release all that is set aside for a run that had no fault."""
    there = ports.ledger.postings(run_id=run_id)
    ports.ledger.settle(run_id, dict.fromkeys((p.experiment for p in there), Decimal(0)))
    if there:
        write_balances(ports, run_id, there[-1].currency)


def write_balances(
    ports: Ports, run_id: str, currency: str, figures: Mapping[str, dict[str, object]] | None = None
) -> None:
    """Put each experiment's account into the run's book, and the sum of them."""
    there = ports.ledger.postings(run_id=run_id)
    counts = figures or {}
    for name, own in by_experiment(there).items():
        _write(ports, run_id, name, _told(own, currency) | _felt(counts.get(name)))
    felt = [_felt(each) for each in counts.values()]
    whole: dict[str, object] = {
        "requests": sum(int(_number(each["requests"])) for each in felt),
        "fault_seconds": round(sum(_number(each["fault_seconds"]) for each in felt), 3),
    }
    _write(ports, run_id, WHOLE_RUN, _told(balance(there), currency) | whole)


def task_of_guard(ports: Ports, run_id: str, experiment_name: str, lease_id: str) -> Watch:
    """The guard's task, with the counters as they are now and what was set aside."""
    suite = suite_of(ports, run_id)
    _, experiment = experiment_of(suite, experiment_name)
    return watch_of(suite, experiment, lease_id, _allowed(ports, run_id, suite, experiment))


def _allowed(ports: Ports, run_id: str, suite: Suite, experiment: Experiment) -> Allowed | None:
    purse = None
    if suite.budget is not None:
        own = by_experiment(ports.ledger.postings(run_id=run_id)).get(experiment.name, Balance())
        purse = Purse(reserved=own.open, budget=suite.budget)
    if suite.traffic is None:
        return None if purse is None else Allowed(purse=purse)
    traffic, prometheus = suite.traffic, suite.target.prometheus
    since = whole_run(ports, run_of(ports, run_id))
    return Allowed(
        requests=traffic.requests,
        hit=traffic.hit,
        requests_then=latest(ports, prometheus, traffic.requests),
        hit_then=latest(ports, prometheus, traffic.hit),
        before=rise_of(ports, prometheus, traffic.requests, since).rise,
        traffic=experiment.blast_radius.within(suite.blast_radius).traffic,
        purse=purse,
    )


def _told(own: Balance, currency: str) -> dict[str, object]:
    return {
        "reserved": f"{own.reserved:f}", "spent": f"{own.spent:f}",
        "released": f"{own.released:f}", "currency": currency,
    }


def _felt(figures: dict[str, object] | None) -> dict[str, object]:
    return {"requests": 0, "fault_seconds": 0.0} if figures is None else figures


def _write(ports: Ports, run_id: str, name: str, data: dict[str, object]) -> None:
    experiment = "" if name == WHOLE_RUN else name
    at = ports.clock.now().isoformat(timespec="milliseconds")
    ports.books.write(Entry(run_id, EntryKind.SPEND, name, data, experiment, at))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
