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
    """One date in UTC: balances by currency, and by run and currency."""

    day: str
    currencies: dict[str, Balance]
    runs: dict[tuple[str, str], Balance]
    suites: tuple[SuiteBudget, ...]


def day_budget(ports: Ports, day: str, budgets: dict[str, BudgetSpec]) -> DayBudget:
    """Sum up a day; `budgets` are those of the suites of this deployment, by name.

    The limits are those of now, also for a day that has passed.
    """
    there = ports.ledger.postings(day=day)
    currencies = dict.fromkeys([*(b.currency for b in budgets.values()),
                                *(p.currency for p in there)])
    places = dict.fromkeys((p.run_id, p.currency) for p in there)
    return DayBudget(
        day,
        {c: balance(p for p in there if p.currency == c) for c in currencies},
        {at: balance(p for p in there if (p.run_id, p.currency) == at) for at in places},
        tuple(
            SuiteBudget(name, budget, as_amount(
                millionths(budget.per_day) - taken(there, day, budget.currency)))
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
