"""What was normal before the first fault (O1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Postponed
from holdfast.model.run import EntryKind
from holdfast.steps.baseline import baseline, summary
from support import suites
from support.ports import FakeMetrics
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
        "count": 4, "mean": 0.25, "p50": 0.2, "p95": 0.4, "min": 0.1, "max": 0.4, "last": 0.3,
        "objective": "< 500ms",
    } == latency.data


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
    assert {"count": 0, "mean": None, "p50": None, "p95": None, "min": None, "max": None,
            "last": None} == summary([])


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_values_that_were_seen_and_in_order(values):
    figures = summary(values)
    ranked = [figures[name] for name in ("min", "p50", "p95", "max")]
    assert ranked == sorted(ranked)
    assert set(ranked) <= set(values)
