"""What a plan may cost and whom it may hit, refused with figures and a cure (B1, S2)."""

import pytest

from holdfast.errors import SpecError
from holdfast.model.fault import Target
from holdfast.plan import explain
from holdfast.plan.plan import make_plan
from support import suites

NARROW = ("blast_radius: {instances: 100%}", "blast_radius: {instances: 50%}")
PRICED = ("compliance:", "budget: {most_requests_per_second: 1000, per_fault_minute: 60}\n"
          "traffic: {requests: r, hit: h}\ncompliance:")
ENOUGH = ("per_fault_minute: 60", "per_day: 600, per_experiment: 300, per_fault_minute: 60")


def made(*changes, hits=None):
    drivers = suites.drivers()
    for name, share in {"hang": 0.5, "kill": 0.5, "latency": 0.5, **(hits or {})}.items():
        drivers[name].hit = [Target(f"{name}-1", "api", share)]
    return make_plan(suites.suite(*changes), "sha256:ab", drivers, "/home")


def refused(*changes, **parts):
    with pytest.raises(SpecError) as error:
        made(*changes, **parts)
    return error.value.message


def test_what_hits_more_than_it_may_is_refused_with_the_cure():
    """S2: 10 % of a service's instances unless the file says more."""
    told = refused(("blast_radius: {instances: 100%}\n", ""), hits={"hang": 0.02, "latency": 0.01})
    assert told == (
        "second would hit 50% of the instances of api, 10% allowed (choose fewer targets, or say "
        "how much may be hit: blast_radius: {instances: 50%})"
    )


def test_experiments_of_a_round_hit_together():
    assert "first with beside would hit 87.5% of the instances of api, 50% allowed" in refused(
        NARROW, hits={"latency": 0.375})


def test_the_suite_may_say_more():
    assert 1.0 == made().blast_radius["api"]


def test_an_experiment_may_say_more_for_itself():
    more = ("        hypothesis: It also", "        blast_radius: {instances: 90%}\n"
            "        hypothesis: It also")
    plan = made(NARROW, more, hits={"kill": 0.9, "hang": 0.25, "latency": 0.25})
    assert 0.9 == plan.blast_radius["api"]


def test_the_worst_case_has_a_price():
    """B1: 42 s at 1000 requests a second and 0.001 each, and 60 a minute."""
    plan = made(PRICED, ENOUGH)
    told = {e["name"]: e["worst_cost"] for e in plan.as_json()["experiments"]}
    assert {"first": "84", "beside": "86", "second": "206"} == told
    assert "    costs  206 EUR at worst\n" in explain.text(plan)


def test_without_a_budget_there_is_no_price():
    assert "worst_cost" not in made().as_json()["experiments"][0]


def test_an_experiment_that_may_cost_too_much_is_refused_with_the_figures():
    told = refused(PRICED)
    assert "second may cost 206 EUR, above the 100 of budget.per_experiment" in told
    assert "first" not in told


def test_a_run_that_no_day_can_pay_for_is_refused():
    dear = ("per_fault_minute: 60", "per_experiment: 300, per_day: 375, per_fault_minute: 60")
    assert refused(PRICED, dear).startswith(
        "the run may cost 376 EUR, above the 375 of budget.per_day")
