"""How fast errors use up what an objective allows. Pure.

As in the Site Reliability Workbook, chapter 5: one window shows that it matters, a short one that
it still goes on.
"""

from datetime import timedelta

from holdfast.model.quantities import Bound, BurnCondition


def allowed(objective: Bound) -> float:
    """The share of bad events that the objective allows."""
    return objective.value if objective.op.startswith("<") else 1.0 - objective.value


def burn_rate(objective: Bound, value: float) -> float:
    """How many times faster than allowed the budget burns at this value of the objective."""
    bad = value if objective.op.startswith("<") else 1.0 - value
    return bad / allowed(objective)


def burns(stop: BurnCondition, rates: tuple[float, ...]) -> bool:
    """Whether the rates of both windows are above the factor."""
    return bool(rates) and all(rate > stop.factor for rate in rates)


def outage(stop: BurnCondition, objective: Bound) -> timedelta:
    """How long nothing but errors must last, after a calm time, for the condition to be true."""
    return stop.factor * allowed(objective) * max(stop.windows)
