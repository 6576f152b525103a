"""How a day's budget stands: limits, what is set aside, what is spent, by run."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from holdfast.model.allowance import BudgetSpec
from holdfast.model.ledger import Balance, as_amount, millionths
from holdfast.ports.bundle import Ports
from holdfast.safety.ledger import balance, taken
from holdfast.spec.load import load_suite
from holdfast.spec.problems import SpecErrors


@dataclass(frozen=True, slots=True)
class SuiteBudget:
    """What a suite may cost, and what the day has left for it. Less than nothing is an overrun."""

    suite: str
    budget: BudgetSpec
    left: Decimal


@dataclass(frozen=True, slots=True)
class DayBudget:
    """One day: balances by currency, and by run and currency.

    Where budgets differ in their time zone, today may have two dates.
    """

    day: str
    time_zone: str
    currencies: dict[str, Balance]
    runs: dict[tuple[str, str], Balance]
    suites: tuple[SuiteBudget, ...]


def day_budget(ports: Ports, budgets: dict[str, BudgetSpec], day: str = "") -> DayBudget:
    """Sum up a day, by default today; `budgets` are those of this deployment's suites, by name.

    The limits are those of now, also for a day that has passed.
    """
    now = ports.clock.now()
    days = {name: day or budget.day(now) for name, budget in budgets.items()}
    dates = sorted({*days.values()}) or [day or now.date().isoformat()]
    zones = sorted({b.time_zone for b in budgets.values()}) or ["UTC"]
    there = [posting for date in dates for posting in ports.ledger.postings(day=date)]
    currencies = dict.fromkeys([*(b.currency for b in budgets.values()),
                                *(p.currency for p in there)])
    places = dict.fromkeys((p.run_id, p.currency) for p in there)
    return DayBudget(
        " and ".join(dates), ", ".join(zones),
        {c: balance(p for p in there if p.currency == c) for c in currencies},
        {at: balance(p for p in there if (p.run_id, p.currency) == at) for at in places},
        tuple(
            SuiteBudget(name, budget, as_amount(
                millionths(budget.per_day) - taken(there, days[name], budget.currency)))
            for name, budget in sorted(budgets.items())
        ),
    )


def budgets_of(ports: Ports) -> tuple[dict[str, BudgetSpec], list[str]]:
    """The budgets of all suites here by name, and the files that are broken."""
    found: dict[str, BudgetSpec] = {}
    broken: list[str] = []
    for file in _files(ports):
        try:
            suite = load_suite(file).suite
        except SpecErrors:
            broken.append(file.name)
            continue
        if suite.budget is not None:
            found[suite.metadata.name] = suite.budget
    return found, broken


def _files(ports: Ports) -> Iterable[Path]:
    return sorted(ports.settings.experiments.rglob("*.suite.yaml"))
