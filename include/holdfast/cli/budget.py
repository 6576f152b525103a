"""budget: how a day's money stands."""

import json
from datetime import date
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, say_error, settings
from holdfast.errors import SpecError
from holdfast.model.ledger import Balance
from holdfast.steps.budget import DayBudget, SuiteBudget, budgets_of, day_budget

purse = typer.Typer()


@purse.command()
def budget(
    day: Annotated[str, typer.Option(help="a date such as 2026-01-31; default today")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Show limits, what is set aside, spent and left of a day, and by run."""
    with border():
        ports = wiring.ports(settings())
        wanted = _date(day) if day else ""
        budgets, broken = budgets_of(ports)
        found = day_budget(ports, budgets, wanted)
        for name in broken:
            say_error(f"{name} is broken; holdfast validate says why")
        if as_json:
            typer.echo(json.dumps(_json(found), indent=1))
            return
        _print(found)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise SpecError(f"'{text}' is no date", where="--day", hint="such as 2026-01-31") from error


def _print(found: DayBudget) -> None:
    out.print(f"{found.day} ({found.time_zone})", markup=False)
    if not found.currencies:
        out.print("no suite here has a budget, and nothing was spent")
    for currency, own in found.currencies.items():
        out.print(f"  {currency}: {_told(own)}", markup=False)
    for suite in found.suites:
        money = suite.budget.currency
        out.print(
            f"  {suite.suite}: at most {suite.budget.per_experiment:f} {money} an experiment and "
            f"{suite.budget.per_day:f} {money} a day, {suite.left:f} {money} left", markup=False,
        )
    for (run, currency), own in found.runs.items():
        out.print(f"  run {run}: {_told(own)} {currency}", markup=False)


def _told(own: Balance) -> str:
    return (f"reserved {own.reserved:f}, spent {own.spent:f}, released {own.released:f}, "
            f"still set aside {own.open:f}")


def _json(found: DayBudget) -> dict[str, object]:
    return {
        "day": found.day, "time_zone": found.time_zone,
        "currencies": {currency: _plain(own) for currency, own in found.currencies.items()},
        "suites": [_suite(suite) for suite in found.suites],
        "runs": [
            {"run": run, "currency": currency} | _plain(own)
            for (run, currency), own in found.runs.items()
        ],
    }


def _suite(suite: SuiteBudget) -> dict[str, str]:
    return {
        "suite": suite.suite, "currency": suite.budget.currency,
        "per_experiment": f"{suite.budget.per_experiment:f}",
        "per_day": f"{suite.budget.per_day:f}", "left": f"{suite.left:f}",
    }


def _plain(own: Balance) -> dict[str, str]:
    """Amounts as text: a program must not read them as floats by mistake."""
    return {
        "reserved": f"{own.reserved:f}", "spent": f"{own.spent:f}",
        "released": f"{own.released:f}", "open": f"{own.open:f}",
    }
