"""K1: each part is normalised to 0..1, explained, and silent where nothing was measured."""

import pytest

from holdfast.model.score import Seen, Tried
from holdfast.model.verdict import Verdict
from holdfast.score import parts


def tried(experiment="kill", run="r1", **changes):
    facts = {"verdict": Verdict.HELD, "felt": True, "recovered": True, "alone": True,
             "repair_seconds": 8.0}
    return Tried(run, experiment, **(facts | changes))


@pytest.mark.parametrize(("available", "value"), [
    (1.0, 1.0), (0.99999, 1.0), (0.9999, 1.0), (0.999, 0.75), (0.99, 0.5), (0.9, 0.25), (0.0, 0.0)])
def test_each_nine_of_availability_is_a_quarter(available, value):
    assert value == pytest.approx(parts.availability(Seen(available, 0.99, 5.0))[0], abs=1e-4)


def test_availability_says_figure_target_and_how_long_was_looked():
    text = parts.availability(Seen(0.999996, 0.99, 0.05))[1]
    assert "99.9996 % of requests were good, over 3 min with data; target 99.99 %" == text


@pytest.mark.parametrize(("seconds", "value"), [(8.0, 1.0), (900.0, 1.0), (1800.0, 0.5)])
def test_repair_is_worth_one_until_its_target(seconds, value):
    assert value == parts.time_to_repair([tried(repair_seconds=seconds)])[0]


def test_a_fault_that_was_never_repaired_counts_nothing_and_is_named():
    """N18: a service that stays down must not look quick because the looking ended soon."""
    lost = tried("leak", recovered=False, repair_seconds=60.0)
    value, text, behind = parts.time_to_repair([tried(), lost])
    assert (0.5, [tried(), lost]) == (value, behind)
    assert "mean 8.0 s over 1 felt; never seen to recover, counts 0: leak in r1" in text


def test_a_repair_longer_than_two_minutes_reads_as_minutes():
    assert "mean 30.0 min" in parts.time_to_repair([tried(repair_seconds=1800.0)])[1]


@pytest.mark.parametrize("facts", [
    [], [tried(felt=False, repair_seconds=None)], [tried(repair_seconds=None)]])
def test_without_a_measured_repair_there_is_no_time_to_repair(facts):
    assert parts.time_to_repair(facts)[0] is None


@pytest.mark.parametrize(("hours", "failures", "value"), [
    (167.0, [], 1.0), (168.0, ["a"], 168 / 720), (168.0, list("abcd"), 42 / 720)])
def test_time_between_failures_is_of_720_hours(hours, failures, value):
    seen = Seen(quiet_hours=hours, failures=failures)
    assert value == pytest.approx(parts.time_between(seen)[0], abs=1e-4)


def test_a_few_hours_without_failure_prove_nothing():
    value, text, _ = parts.time_between(Seen(quiet_hours=3.0))
    assert (None, "only 3 h were seen without a run, at least 24 h are needed") == (value, text)


def test_failures_are_named_three_at_most():
    text = parts.time_between(Seen(quiet_hours=100.0, failures=list("abcd")))[1]
    assert "(a; b; c; and more)" in text


@pytest.mark.parametrize(("available", "promised", "value"), [
    (1.0, 0.99, 1.0), (0.995, 0.99, 0.5), (0.99, 0.99, 0.0), (0.9, 0.99, 0.0)])
def test_the_error_budget_is_what_the_objective_allows(available, promised, value):
    assert value == pytest.approx(parts.budget_left(Seen(available, promised, 1.0))[0], abs=1e-9)


def test_an_objective_of_everything_leaves_no_error_budget():
    assert parts.budget_left(Seen(1.0, 1.0, 1.0))[0] is None


def test_broken_and_unknown_both_count_against_success_and_are_named():
    facts = [tried(), tried("slow", verdict=Verdict.BROKEN), tried("cut", verdict=Verdict.UNKNOWN)]
    value, text, _ = parts.success(facts)
    assert value == pytest.approx(1 / 3 / 0.95, abs=1e-4)
    assert "1 of 3 held, target above 95 %; BROKEN: slow; UNKNOWN: cut" == text


def test_recovery_without_help_names_those_that_needed_it():
    value, text, _ = parts.alone([tried()] * 9 + [tried("leak", alone=False)])
    assert (1.0, True) == (value, text.endswith("target above 90 %; not: leak"))


@pytest.mark.parametrize("part", [parts.success, parts.alone])
def test_nothing_tried_is_nothing_measured(part):
    assert (None, "no fault was injected") == part([])[:2]


@pytest.mark.parametrize("part", [parts.availability, parts.budget_left, parts.time_between])
def test_why_there_is_no_data_is_said(part):
    assert (None, "no answer in time") == part(Seen(trouble="no answer in time"))[:2]


@pytest.mark.parametrize("part", [parts.availability, parts.budget_left])
def test_no_data_is_no_availability(part):
    assert part(Seen())[0] is None
