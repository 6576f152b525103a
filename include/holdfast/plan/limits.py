"""What a plan may cost and whom it may hit; pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import ceil

from holdfast.model.fault import Target
from holdfast.model.suite import Experiment, Suite

Hits = tuple[int, str, Sequence[Target]]  # round, experiment and what it would hit
_TINY = 1e-9


def too_wide(suite: Suite, hits: Iterable[Hits]) -> Iterator[str]:
    """Name what would hit more of a service than it may; a round's experiments hit together.

    A round may hit as much as the widest of its experiments that hit the service.
    """
    allowed = {
        e.name: e.blast_radius.within(suite.blast_radius).instances for e in _experiments(suite)
    }
    shares: dict[tuple[int, str], dict[str, float]] = defaultdict(dict)
    names: dict[tuple[int, str], dict[str, None]] = defaultdict(dict)
    for number, name, targets in hits:
        for target in targets:
            shares[number, target.service][target.name] = target.share
            names[number, target.service][name] = None
    for place, own in shares.items():
        share, limit = min(1.0, sum(own.values())), max(allowed[name] for name in names[place])
        if share > limit + _TINY:
            yield (f"{' with '.join(names[place])} would hit {share * 100:.3g}% of the instances of"
                   f" {place[1]}, {limit * 100:.3g}% allowed (choose fewer targets, or say how much"
                   f" may be hit: blast_radius: {{instances: {ceil(share * 100)}%}})")


def too_costly(suite: Suite, costs: Mapping[str, Decimal]) -> Iterator[str]:
    """Name what may cost more than it may; a run that no day can pay for would never begin."""
    budget = suite.budget
    if budget is None:
        return
    money = budget.currency
    for name, cost in costs.items():
        if cost > budget.per_experiment:
            yield (f"{name} may cost {cost:f} {money}, above the {budget.per_experiment:f} of "
                   f"budget.per_experiment (a shorter fault, a lower most_requests_per_second, or "
                   f"a higher limit)")
    whole = sum(costs.values(), Decimal(0))
    if whole > budget.per_day:
        yield (f"the run may cost {whole:f} {money}, above the {budget.per_day:f} of "
               f"budget.per_day (fewer experiments, or a higher limit)")


def _experiments(suite: Suite) -> Iterator[Experiment]:
    return (e for step in suite.rounds for e in step.experiments)
