"""Rules about money and traffic (B1, S2)."""

import pytest

from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites

LAST = "blast_radius: {instances: 100%}"


def complaints(*changes: tuple[str, str]) -> list[str]:
    try:
        load_text(suites.text(*changes), "f", suites.known())
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" for e in error.errors]
    return []


def after(text: str) -> tuple[str, str]:
    return LAST, f"{LAST}\n{text}"


@pytest.mark.parametrize("text", [
    "budget: {most_requests_per_second: 9}\ntraffic: {requests: r, hit: h}",
    "budget: {most_requests_per_second: 9, per_request: 0, per_fault_minute: 2}",
])
def test_a_budget_whose_parts_can_be_counted_is_well(text):
    assert [] == complaints(after(text))


def test_requests_that_cost_and_are_not_counted_are_refused():
    assert [
        "a request costs something, and nothing counts the requests "
        "(add traffic: {requests: ..., hit: ...}, or per_request: 0)"
    ] == complaints(after("budget: {most_requests_per_second: 9}"))


def test_an_experiment_costs_no_more_than_a_day():
    assert ["an experiment may cost 100, the whole day 50 (at most per_day)"] == complaints(
        after("budget: {most_requests_per_second: 9, per_request: 0, per_day: 50}"))


def test_a_bound_on_traffic_that_nobody_counts_is_refused():
    """No word of the file is without effect."""
    told = ["nothing counts the traffic (add traffic: {requests, hit})"]
    assert told == complaints((LAST, "blast_radius: {instances: 100%, traffic: 1%}"))
    assert told == complaints(("        hypothesis: It also",
                               "        blast_radius: {traffic: 9%}\n"
                               "        hypothesis: It also"))


def test_a_bound_on_traffic_that_is_counted_is_well():
    assert [] == complaints((LAST, "blast_radius: {instances: 100%, traffic: 1%}\n"
                                   "traffic: {requests: r, hit: h}"))


def test_the_time_zone_of_a_budget_is_known():
    text = "budget: {most_requests_per_second: 9, per_request: 0, per_fault_minute: 2"
    assert [] == complaints(after(text + ", time_zone: Asia/Tokyo}"))
    assert ["unknown time zone 'Moon/Base' (such as Europe/Berlin or UTC)"] == complaints(
        after(text + ", time_zone: Moon/Base}"))
