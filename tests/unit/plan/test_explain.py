"""A plan for people."""

from holdfast.model.fault import Target
from holdfast.plan import explain
from holdfast.plan.plan import Plan, make_plan
from support import suites
from support.kept import agrees


def plan() -> Plan:
    drivers = suites.drivers()
    drivers["hang"].hit = [Target("api-1 (pid 7)", "api", 0.5)]
    return make_plan(suites.suite(), "sha256:" + "ab" * 32, drivers, "/home")


def test_the_text_is_the_one_that_was_agreed():
    assert agrees("plans/checkout.txt", explain.text(plan()) + "\n")


def test_the_chart_is_the_one_that_was_agreed():
    assert agrees("plans/checkout.mmd", explain.mermaid(plan()) + "\n")


def test_a_plan_that_hits_nothing_says_so():
    drivers = suites.drivers()
    drivers["hang"].targets = lambda fault: []
    assert "hits   nothing" in explain.text(make_plan(suites.suite(), "s", drivers, "/"))
