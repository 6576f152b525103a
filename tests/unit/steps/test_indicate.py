"""Objectives measured elsewhere than in Prometheus, through the steps of a run (S3, S4)."""

import json
from dataclasses import replace
from itertools import count

import pytest

from holdfast.errors import Postponed, SpecError
from holdfast.model.indicator import Indicator
from holdfast.model.run import EntryKind
from holdfast.ports.metrics import Sample
from holdfast.steps import indicate
from holdfast.steps.baseline import baseline
from holdfast.steps.content_charts import charts, samples
from holdfast.steps.content_setting import facts
from holdfast.steps.preflight import preflight
from holdfast.steps.recover import recover
from holdfast.steps.score import score
from holdfast.steps.seal import seal
from holdfast.steps.steady import steady
from support import suites
from support.after import ended
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL, lease, planned

AT = START.timestamp()
READY = Indicator(http="shop_http", path="/ready", measure="latency")
CHANGE = (f'{{prometheus: "{suites.LATENCY}"}}',
          "{http: shop_http, path: /ready, measure: latency}")
ERRORS = f'{{name: errors, indicator: {{prometheus: "{suites.ERRORS}"}}, objective: "< 1%"}}'
ALONE = (f"  - {ERRORS}\n", "")
NO_STOP = ('        stop_on: {errors: "> 60% for 4s"}\n', "")


def probing(tmp_path, *values, changes=(CHANGE,), begun=planned, **parts):
    """A run whose latency is measured by HTTP: these values in turn, the last one for ever."""
    turn, asked = count(), []

    def probe(question):
        asked.append(question)
        value = values[min(next(turn), len(values) - 1)]
        at = ports.clock.now().timestamp()
        return Sample(value, at, "" if value is not None else "GET /ready: refused")

    ports = replace(begun(tmp_path, *changes, **parts), probe=probe)
    return ports, asked


def suite(*changes):
    return suites.suite(*(changes or (CHANGE,)))


def test_the_baseline_asks_every_second_and_keeps_what_it_saw(tmp_path):
    ports, asked = probing(tmp_path, 0.1, 0.4, 0.2, 0.3)
    baseline(ports, RUN)
    assert [READY] * 4 == asked
    latency = ports.books.read(RUN, EntryKind.BASELINE)[1].data
    assert (4, 0.25) == (latency["count"], latency["mean"])
    found = indicate.between(ports, suite(), suite().objectives[1], (AT, AT + 9, 1.0), RUN)
    assert [(AT + n, v) for n, v in enumerate((0.1, 0.4, 0.2, 0.3))] == found


def test_preflight_names_what_has_no_data(tmp_path):
    ports, _ = probing(tmp_path, None)
    with pytest.raises(Postponed, match="objective latency has no data: GET /ready: refused"):
        preflight(ports, RUN)
    assert not ports.settings.samples.exists()


def test_a_suite_that_asks_no_prometheus_needs_none(tmp_path):
    def metrics(_):
        raise SpecError("unknown connection 'prometheus_default'")

    ports, _ = probing(tmp_path, 0.1, changes=(CHANGE, ALONE, NO_STOP))
    preflight(replace(ports, metrics=metrics), RUN)
    assert "Prometheus" not in dict(facts(ports, RUN, suite(CHANGE, ALONE, NO_STOP)))


def test_a_round_waits_until_it_holds(tmp_path):
    ports, _ = probing(tmp_path, 0.9, None, 0.1)
    steady(ports, RUN, 0)
    assert 1.0 == ports.clock.passed


def test_recovery_waits_for_it_too(tmp_path):
    ports, asked = probing(tmp_path, 0.9, 0.9, 0.1, begun=ended)
    recover(ports, RUN, "second", "lease-second")
    assert ports.books.read(RUN, EntryKind.RECOVERY)[0].data["recovered"]
    assert 3 == len(asked)


def test_the_report_draws_what_tasks_and_guard_kept(tmp_path):
    ports, _ = probing(tmp_path, 0.2)
    ports.leases.rows["lease-first"] = lease()
    baseline(ports, RUN)
    with (ports.settings.samples / "lease-first.jsonl").open("a") as out:
        out.write(json.dumps([str(READY), AT + 2.5, 0.4]) + "\n")
    seal(ports, RUN)
    chart = charts(ports, suite(), samples(ports, RUN), [])[1]
    assert [(AT + 2.5, 400.0)] == [point for point in chart.points if point[1] > 300]
    assert chart.source.startswith("as it was answered to baseline, guard and recovery")
    told = dict(facts(ports, RUN, suite()))
    assert "< 500ms: latency GET /ready at shop_http (200)" == told["latency"]


def test_a_week_of_it_is_not_known_and_spoils_no_score(tmp_path):
    at = {suites.ERRORS: [(AT - 60, 0.0)]}
    ports, asked = probing(tmp_path, 0.2, metrics=FakeMetrics(WELL, ranges=at))
    score(ports, RUN)
    assert ports.books.read(RUN, EntryKind.SCORE)
    assert not asked


def test_a_disk_that_is_full_costs_the_chart_and_not_the_run(tmp_path, caplog):
    ports, _ = probing(tmp_path, 0.2)
    ports.settings.samples.write_text("no folder")
    baseline(ports, RUN)
    assert "a sample of latency was not kept" in caplog.text


def test_prometheus_is_asked_for_samples_that_are_not_too_old(tmp_path):
    class Aged(FakeMetrics):
        def now(self, query, max_age=None):
            return Sample(max_age, AT)

    ports = planned(tmp_path, metrics=Aged())
    one = suites.suite(("baseline: {window: 4s}", "guard: {max_age: 2s, grace: 4s}"))
    assert 2.0 == indicate.now(ports, one, one.objectives[0]).value
    assert 3.0 == indicate.now(ports, suite(), suite().objectives[0]).value
