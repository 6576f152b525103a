"""What a report tells of the book's entries: mechanisms, money, health, reach, score."""

from decimal import Decimal

import pytest

from holdfast.model.lease import LeaseState
from holdfast.model.ledger import Claim
from holdfast.model.mechanism import MechanismSpec
from holdfast.model.run import Entry, EntryKind
from holdfast.model.summary import Level
from holdfast.model.verdict import Finding, Verdict
from holdfast.reports._content import Blast, Health, HealthPart, Mechanism, Spend
from holdfast.steps.book import write, write_finding
from holdfast.steps.content import content
from holdfast.steps.content_entries import mechanisms
from holdfast.steps.score import score
from holdfast.steps.seal import seal
from support import suites
from support.after import ended, put_lease
from support.guard import a_suite
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL


@pytest.fixture
def ports(tmp_path):
    """A run whose faults are over."""
    return ended(tmp_path)


def test_a_mechanism_has_its_state_its_risk_and_its_figures(ports):
    """R5."""
    measured = {"mechanism": "circuit_breaker", "state": "PARTIAL", "risk": "high",
                "opened_after_seconds": 0.81234, "transitions": 3, "series": "mechanism-x.json",
                "times": [1.0]}
    write_finding(ports, RUN, Finding("breaker", Verdict.BROKEN, "it never closed", "first",
                                      measured))
    told = content(ports, RUN)
    assert [Mechanism(
        "breaker", "circuit_breaker", "first", "PARTIAL", Verdict.BROKEN, "high",
        "it never closed", [("opened after seconds", "0.81234"), ("transitions", "3"),
                            ("series", "mechanism-x.json")])] == told.mechanisms
    assert [("breaker", "mechanisms")] == [
        (c.name, c.told_in) for c in told.trials[0].checks if c.told_in]
    assert "Complete the mechanism breaker" in [a.text for a in told.summary.actions]


def test_blast_radius_is_told_of_each_experiment(ports):
    """S2."""
    figures = {"hit": 12, "requests": 5000, "share": 0.0024, "limit": 0.05}
    write_finding(ports, RUN, Finding("blast_radius", Verdict.HELD, "12 hit", "first", figures))
    expected = Blast("first", Verdict.HELD, "12 hit", 12, 5000, 0.0024, 0.05)
    assert [expected] == content(ports, RUN).blasts


def test_spending_ends_with_the_whole_run(ports):
    """B3."""
    data = {"reserved": "1.2", "spent": "0.4", "released": "0.8", "currency": "EUR",
            "requests": 403, "fault_seconds": 8.0}
    for name in ("run", "first"):
        write(ports, RUN, EntryKind.SPEND, name, data)
    assert [Spend(name, "1.2", "0.4", "0.8", "EUR", "403", "8") for name in ("first", "run")
            ] == content(ports, RUN).spends


def test_what_the_day_had_left_is_told_as_it_was_then(tmp_path):
    """B3: what later runs take is not in this run's report."""
    budget = ("budget: {most_requests_per_second: 50, per_request: 0, per_fault_minute: 1, "
              "per_experiment: 10, per_day: 20}\n")
    ports = ended(tmp_path, ("compliance:", budget + "compliance:"))
    for run, amount in (("earlier", "1.5"), (RUN, "10"), ("later", "4")):
        ports.ledger.reserve(Claim(run, "2026-01-01", "EUR", Decimal(20), {"x": Decimal(amount)}))
        ports.ledger.settle(run, {"x": Decimal(amount) / 2})
    assert ("14.25 of 20 EUR were left for 2026-01-01 (UTC) when this run was settled"
            ) == content(ports, RUN).day_left


def test_without_a_budget_no_day_has_anything_left(ports):
    assert "" == content(ports, RUN).day_left


def test_large_figures_keep_their_digits(ports):
    write(ports, RUN, EntryKind.SPEND, "run", {"requests": 1612345.0})
    assert "1612345" == content(ports, RUN).spends[0].requests


def test_health_is_told_with_its_parts(ports):
    """S1."""
    parts = [{"name": "errors", "weight": 1, "value": 0.9, "text": "0.1 %"},
             {"name": "lag", "weight": 2.0, "value": None, "text": "no data"}]
    data = {"score": 0.97, "limit": 0.8, "parts": parts}
    write(ports, RUN, EntryKind.HEALTH, "health", data)
    assert Health(0.97, 0.8, [HealthPart("errors", 1.0, 0.9, "0.1 %"),
                              HealthPart("lag", 2.0, None, "no data")]
                  ) == content(ports, RUN).health


def baseline(ports, **more):
    figures = {"mean": 0.05, "max": 0.09, "min": 0.01, "p50": 0.04, "p95": 0.08}
    write(ports, RUN, EntryKind.BASELINE, "latency", figures | more)
    (normal,) = content(ports, RUN).normals
    return normal


def test_the_normal_is_told_in_the_authors_unit(ports):
    normal = baseline(ports)
    assert ("< 500ms", "50ms", "at most 90ms", "p50 40ms, p95 80ms", None) == (
        normal.objective, normal.mean, normal.worst, normal.quantiles, normal.earlier_runs)


def test_drift_reaches_the_table_and_the_summary(ports):
    normal = baseline(ports, drift="twice as slow", earlier_runs=4, quantiles={"p99": 0.2})
    assert ("p99 200ms", 4, "twice as slow") == (
        normal.quantiles, normal.earlier_runs, normal.drift)
    assert "latency: twice as slow" in content(ports, RUN).summary.weaknesses


def test_an_objective_without_data_was_not_normal(ports):
    write(ports, RUN, EntryKind.BASELINE, "latency", {"count": 0, "mean": None})
    (normal,) = content(ports, RUN).normals
    assert ("no data", "–", "") == (normal.mean, normal.worst, normal.quantiles)


def test_the_score_is_told_as_it_was_written(ports):
    """K1."""
    score(ports, RUN)
    told = content(ports, RUN).score
    assert (None, 7, 6) == (told.value, told.window_days, len(told.parts))
    assert "no fault was injected" in told.text


@pytest.mark.parametrize("kind", [EntryKind.SCORE, EntryKind.HEALTH, EntryKind.SPEND])
def test_entries_of_another_version_are_told_as_not_known(ports, kind):
    ports.books.write(Entry(RUN, kind, "run", {"parts": "many", "runs": 3, "score": True}))
    told = content(ports, RUN)
    assert (None, [], None) == {
        EntryKind.SCORE: lambda: (told.score.value, told.score.parts, told.health),
        EntryKind.HEALTH: lambda: (told.health.score, told.health.parts, told.score),
        EntryKind.SPEND: lambda: (None, [], None if told.spends[0].spent == "–" else 1),
    }[kind]()


def test_availability_over_the_run_comes_from_the_kept_samples(tmp_path):
    points = [(START.timestamp() + s, 0.01 if s < 10 else 0.0) for s in range(40)]
    ports = ended(tmp_path, metrics=FakeMetrics(WELL, ranges={suites.ERRORS: points}))
    seal(ports, RUN)
    assert ("Availability over the run", "99.75 %") in content(ports, RUN).summary.glance


def test_a_lease_that_is_not_clean_makes_the_risk_high(ports):
    put_lease(ports, "second", 1, state=LeaseState.UNCLEAN)
    told = content(ports, RUN).summary
    assert (Level.HIGH, True) == (told.risk, told.weaknesses[0].startswith("second: it is not"))


def test_a_mechanism_bears_what_its_author_says_of_it():
    """R5."""
    spec = MechanismSpec(type="circuit_breaker", description="Five failures open it.")
    suite = a_suite().model_copy(update={"mechanisms": {"breaker": spec}})
    measured = {"mechanism": "circuit_breaker", "state": "WORKING", "risk": "low"}
    found = [Finding("breaker", Verdict.HELD, "it opened", "first", measured)]
    assert ["Five failures open it."] == [m.description for m in mechanisms(found, suite)]
