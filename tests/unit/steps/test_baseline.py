"""What was normal before the first fault, and how well the target is (O1, S1)."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import CheckError, Postponed
from holdfast.model.run import Entry, EntryKind, RunState
from holdfast.steps.baseline import baseline, summary
from support import suites
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL, planned


def reason(tmp_path, **table) -> str:
    ports = planned(tmp_path, metrics=FakeMetrics(WELL | {suites.ERRORS: table["errors"]}))
    with pytest.raises(Postponed) as refused:
        baseline(ports, RUN)
    return refused.value.reason


def test_each_objective_is_sampled_every_second_of_the_window(tmp_path):
    metrics = FakeMetrics(WELL)
    ports = planned(tmp_path, metrics=metrics)
    baseline(ports, RUN)
    assert 4 == metrics.asked.count(suites.ERRORS) == metrics.asked.count(suites.LATENCY)
    assert 4.0 == ports.clock.passed


def test_the_figures_are_in_the_book(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics(WELL | {suites.LATENCY: [0.1, 0.4, 0.2, 0.3]}))
    baseline(ports, RUN)
    latency = ports.books.read(RUN, EntryKind.BASELINE)[1]
    assert "latency" == latency.name
    assert {
        "count": 4, "mean": 0.25, "std": 0.1118, "p50": 0.25, "p95": 0.385, "min": 0.1, "max": 0.4,
        "last": 0.3, "objective": "< 500ms", "drift": "", "earlier_runs": 0,
    } == rounded(latency.data)
    assert {
        "p05": 0.115, "p25": 0.175, "p50": 0.25, "p75": 0.325, "p90": 0.37, "p95": 0.385,
        "p99": 0.397,
    } == rounded(latency.data["quantiles"])


def rounded(figures):
    return {k: round(v, 4) if isinstance(v, float) else v
            for k, v in figures.items() if not isinstance(v, dict)}


def test_every_second_of_the_window_comes_from_one_query_of_its_range(tmp_path):
    """Also what came between two looks."""
    second = START.timestamp()
    seen = [(second + n / 2, 0.1 + n / 100) for n in range(9)]
    ports = planned(tmp_path, metrics=FakeMetrics(WELL, ranges={suites.LATENCY: seen}))
    baseline(ports, RUN)
    figures = ports.books.read(RUN, EntryKind.BASELINE)[1].data
    assert (9, 0.18) == (figures["count"], round(figures["max"], 4))


def test_a_range_that_cannot_be_asked_for_leaves_what_was_seen_live(tmp_path):
    class Blind(FakeMetrics):
        def between(self, *_):
            raise CheckError("Prometheus could not be asked")

    ports = planned(tmp_path, metrics=Blind(WELL))
    baseline(ports, RUN)
    assert 4 == ports.books.read(RUN, EntryKind.BASELINE)[1].data["count"]


def earlier(ports, number, latency, state=RunState.ENDED, **changes):
    """A run of the same suite that had this baseline."""
    run = replace(ports.books.run(RUN), **({"id": f"checkout--{number}", "state": state} | changes))
    ports.books.kept = {run.id: run, **ports.books.kept}
    figures = {"count": 9, "p50": latency, "p95": latency}
    ports.books.write(Entry(run.id, EntryKind.BASELINE, "latency", figures))


def drifted(ports):
    baseline(ports, RUN)
    data = ports.books.read(RUN, EntryKind.BASELINE)[1].data
    return data["earlier_runs"], data["drift"]


def test_a_baseline_unlike_those_of_earlier_runs_is_named_with_figures(tmp_path):
    """D4: 50 ms now."""
    ports = planned(tmp_path)
    for number, latency in enumerate((0.3, 0.29, 0.31)):
        earlier(ports, number, latency)
    count, told = drifted(ports)
    assert 3 == count
    assert told.startswith("its median was 50ms, in 3 earlier runs 300ms: better")


@pytest.mark.parametrize("changes", [
    {"suite": "other"}, {"environment": "production"}, {"state": RunState.POSTPONED},
])
def test_runs_that_are_not_alike_or_were_postponed_are_no_measure(tmp_path, changes):
    ports = planned(tmp_path)
    for number in range(3):
        earlier(ports, number, 0.3, **changes)
    assert (0, "") == drifted(ports)


def test_the_latest_twenty_runs_are_enough(tmp_path):
    ports = planned(tmp_path)
    for number in range(25):
        earlier(ports, number, 0.05)
    assert (20, "") == drifted(ports)


def health_of(ports):
    (entry,) = ports.books.read(RUN, EntryKind.HEALTH)
    return entry.data


def test_the_health_is_kept_with_its_parts(tmp_path):
    ports = planned(tmp_path)
    baseline(ports, RUN)
    assert {"score": 1.0, "limit": 0.8, "parts": [
        {"name": "errors", "weight": 1.0, "value": 1.0,
         "text": "errors held in 100% of the samples and was 0.1% at worst, objective < 1%"},
        {"name": "latency", "weight": 1.0, "value": 1.0,
         "text": "latency held in 100% of the samples and was 50ms at worst, objective < 500ms"},
    ]} == health_of(ports)


def test_a_target_that_is_not_well_enough_postpones_with_the_parts_that_pulled_it_down(tmp_path):
    """S1: every objective holds, and still this is not the night for faults."""
    pool = ("baseline: {window: 4s}", "baseline: {window: 4s}\nhealth: {parts: {pool: "
            "{prometheus: free, weight: 2}}}")
    ports = planned(tmp_path, pool, metrics=FakeMetrics(
        WELL | {"free": 0.5, suites.LATENCY: 0.45}))
    with pytest.raises(Postponed, match=r"the health of the target is 0\.69, 0\.8 wanted: pool was "
                                        r"0\.50; latency held in 100% .* was 450ms at worst"):
        baseline(ports, RUN)
    assert 0.6875 == health_of(ports)["score"]


def test_a_part_that_cannot_be_asked_counts_as_ill(tmp_path):
    pool = ("baseline: {window: 4s}", "baseline: {window: 4s}\nhealth: {limit: 60%, parts: {pool: "
            "{prometheus: free}}}")
    ports = planned(tmp_path, pool)
    baseline(ports, RUN)
    assert (0.6667, None) == (health_of(ports)["score"], health_of(ports)["parts"][2]["value"])


def test_an_objective_that_does_not_hold_postpones_with_the_numbers(tmp_path):
    assert (
        "the baseline does not hold: errors was 3% at worst, objective < 1% (1 of 4 samples)"
    ) == reason(tmp_path, errors=[0.0, 0.03, 0.0, 0.0])


@pytest.mark.parametrize(("samples", "told"), [
    pytest.param("no series", "0 of 4 samples (no series)", id="never"),
    pytest.param([0.0, "late", "late", "late"], "1 of 4 samples (late)", id="mostly"),
    pytest.param([0.0, 0.0, 0.0, "late"], "3 of 4 samples (late)", id="at-the-end"),
])
def test_an_objective_without_data_postpones(tmp_path, samples, told):
    assert f"the baseline does not hold: errors had data in {told}" == reason(
        tmp_path, errors=samples
    )


def test_one_late_answer_is_no_reason_to_wait(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics(WELL | {suites.ERRORS: [0.0, "late", 0.0]}))
    baseline(ports, RUN)
    assert 3 == ports.books.read(RUN, EntryKind.BASELINE)[0].data["count"]


def test_figures_of_a_baseline_that_does_not_hold_are_kept_too(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics())
    with pytest.raises(Postponed):
        baseline(ports, RUN)
    assert [0, 0] == [e.data["count"] for e in ports.books.read(RUN, EntryKind.BASELINE)]


def test_of_nothing_there_are_no_figures():
    told = summary([])
    assert (0, {None}) == (told["count"], set(told["quantiles"].values()))
    assert {None} == {told[name] for name in ("mean", "std", "p50", "p95", "min", "max", "last")}


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_quantiles_lie_between_what_was_seen_and_in_order(values):
    figures = summary(values)
    ranked = [figures["min"], *figures["quantiles"].values(), figures["max"]]
    assert all(a <= b or a == pytest.approx(b) for a, b in pairwise(ranked))
    assert (min(values), max(values)) == (figures["min"], figures["max"])


def test_its_library_is_loaded_by_no_other_module():
    """Half a second that only the baseline's own pause may cost."""
    code = "import sys, holdfast.steps.baseline; sys.exit('pandas' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
