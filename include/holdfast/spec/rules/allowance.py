"""Money, and what is needed to count it."""

from collections.abc import Iterator

from holdfast.model.suite import Suite
from holdfast.spec.problems import Place, Problem
from holdfast.spec.rules._base import Known, experiments, rule, rule_of_whole


@rule_of_whole
def what_costs_can_be_counted(suite: Suite, _: Known) -> Iterator[Problem]:
    """Requests that cost something are counted by the suite's traffic."""
    budget = suite.budget
    if budget is not None and budget.per_request and suite.traffic is None:
        yield Problem(("budget",), "a request costs something, and nothing counts the requests",
                      "add traffic: {requests: ..., hit: ...}, or per_request: 0")


@rule
def a_day_pays_for_an_experiment(suite: Suite, _: Known) -> Iterator[Problem]:
    """One experiment may not cost more than the whole day."""
    budget = suite.budget
    if budget is not None and budget.per_experiment > budget.per_day:
        yield Problem(
            ("budget", "per_experiment"),
            f"an experiment may cost {budget.per_experiment:f}, the whole day {budget.per_day:f}",
            "at most per_day",
        )


@rule_of_whole
def traffic_hit_can_be_counted(suite: Suite, _: Known) -> Iterator[Problem]:
    """Who bounds the traffic that an experiment may hit says how it is counted."""
    if suite.traffic is not None:
        return
    bounded: list[tuple[Place, bool]] = [
        (("blast_radius", "traffic"), "traffic" in suite.blast_radius.model_fields_set)
    ]
    bounded += [
        ((*place, "blast_radius", "traffic"), e.blast_radius.traffic is not None)
        for place, e in experiments(suite)
    ]
    for place, is_bounded in bounded:
        if is_bounded:
            yield Problem(place, "nothing counts the traffic", "add traffic: {requests, hit}")

