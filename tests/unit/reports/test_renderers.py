"""K4, first form: one content, four files."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from holdfast.registry import Registry
from holdfast.reports._chart import svg, thinned
from holdfast.reports._content import Chart, Window, hundredths, seconds
from support.reports import START, aborted, held

RENDERERS = Registry("reports", "RENDERER")


@pytest.mark.parametrize("name", [name for name in RENDERERS if name != "pdf"])
def test_every_form_names_run_verdict_and_what_was_seen(name):
    text = RENDERERS[name].render(held()).decode()
    for told in ("shop-core", "HELD" if name != "junit" else "fault", "primary-failover", "5123"):
        assert told in text


@pytest.mark.parametrize("name", list(RENDERERS))
def test_every_form_is_small_and_the_same_again(name):
    first, again = RENDERERS[name].render(aborted()), RENDERERS[name].render(aborted())
    assert first == again
    assert len(first) < 300_000


def test_the_page_loads_nothing_from_elsewhere():
    page = RENDERERS["html"].render(held()).decode()
    assert not re.search(r"""(src|href)=["'](?!#)|@import|url\(|<script|<link""", page)


def test_what_an_author_wrote_never_becomes_markup():
    page = RENDERERS["html"].render(aborted()).decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_the_summary_comes_first_and_the_evidence_last(name):
    """K4: a manager reads the beginning, an auditor the end."""
    text = RENDERERS[name].render(held()).decode()
    order = ["Summary", "Experiments", "Guard", "Mechanisms", "Budget", "Data checks",
             "Before the first fault", "Blast radius", "Resilience score", "Environment",
             "Repeat", "Evidence"]
    places = [re.search(rf"(<h2>|\n## ){title}", text).start() for title in order]
    assert sorted(places) == places


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_what_nobody_measured_has_no_section(name):
    bare = replace(held(), mechanisms=(), spends=(), day_left="", normals=(),
                   blasts=(), health=None, score=None, charts=(), guarded=(), checks=())
    text = RENDERERS[name].render(bare).decode()
    for title in ("Mechanisms", "Budget", "Before the first", "Blast", "Resilience score",
                  "Objectives", "Guard decisions", "Data checks"):
        assert title not in text


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_budget_health_drift_and_score_are_told_with_their_figures(name):
    """B3, S1, K1: each figure stands beside what it is made of."""
    text = RENDERERS[name].render(held()).decode()
    for told in ("1.612", "3.188", "431.2 of 500 EUR were left", "0.97", "4.1 times",
                 "half-opened once", "0.23 %", "0.51", "not measured", "only 3 h were seen"):
        assert told in text


def test_a_mechanism_that_was_not_validated_reads_so():
    """R5: state, risk and evidence."""
    page = " ".join(RENDERERS["html"].render(aborted()).decode().split())
    for told in ('<span class="badge unknown">NOT VALIDATED</span>', '<span class="level high">',
                 "nothing had to be replaced", '<span class="badge broken">PARTIAL</span>'):
        assert told in page


def test_headings_go_down_by_one_and_every_table_has_headers():
    page = RENDERERS["html"].render(aborted()).decode()
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert 1 == levels[0]
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert all("<th scope=" in table for table in page.split("<table")[1:])


def test_a_chart_says_in_words_what_it_shows():
    page = RENDERERS["html"].render(held()).decode()
    told = "latency-p95, objective &lt; 500ms: between 22.02ms and 446.6ms; faults: api-hangs, slow"
    assert f'role="img" aria-label="{told}' in page


def test_an_aborted_run_shows_the_aborts_own_latency():
    """R4, shop-abort: guard and keeper, each with its part."""
    page = " ".join(RENDERERS["html"].render(aborted()).decode().split())
    assert "Abort latency of slow-database: 160 ms" in page
    assert "the guard took 38 ms" in page
    assert "the keeper took 122 ms" in page


def test_there_is_one_chart_for_each_objective_with_every_fault_window():
    page = RENDERERS["html"].render(held()).decode()
    wide, narrow = (page.count(f'<svg viewBox="0 0 {width} ') for width in (760, 360))
    assert (3, 3, 2 * 3 * 4) == (wide, narrow, page.count('class="window"'))


@pytest.mark.parametrize("starts", [(0, 0, 0), (0, 5, 60), (90, 95, 99)])
@pytest.mark.parametrize("width", [760, 360])
def test_every_fault_is_named_and_no_name_lies_on_another(starts, width):
    """Faults of one round begin together."""
    names = ["standby-behind", "primary-failover", "api-hang"]
    windows = [Window(n, START + s, START + s + 9) for n, s in zip(names, starts, strict=True)]
    drawn = re.findall(
        r'class="label" x="([\d.]+)" y="(\d+)">([^<]+)', _chart([], width, windows=windows))
    boxes = [(float(x), float(x) + 7 * len(name), y) for x, y, name in drawn]
    assert names == [name for *_, name in drawn]
    assert all(a == b or a[2] != b[2] or a[1] < b[0] or b[1] < a[0] for a in boxes for b in boxes)
    assert all(end <= width for _, end, _ in boxes)


def test_junit_counts_broken_unknown_and_left_out():
    suite = ElementTree.fromstring(RENDERERS["junit"].render(aborted()))[0]
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert {"tests": "4", "failures": "2", "errors": "0", "skipped": "1"} == counts


def test_json_holds_verdicts_by_name():
    told = json.loads(RENDERERS["json"].render(aborted()))
    assert ("BROKEN", "HELD", 160) == (
        told["verdict"], told["trials"][0]["checks"][1]["verdict"], told["guarded"][0]["abort_ms"])


def test_markdown_tables_survive_bars_in_names():
    text = RENDERERS["markdown"].render(aborted()).decode()
    assert r"slow \<script\>alert(1)\</script\>" in text


@pytest.mark.parametrize(("ms", "text"), [
    (None, "–"), (0, "0 ms"), (999, "999 ms"), (8410, "8.4 s"), (150_000, "2 min 30 s")])
def test_durations_read_well(ms, text):
    assert text == seconds(ms)


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (1.0, "1.00"), (0.998, "0.99"), (0.29, "0.29"), (0.0, "0.00")])
def test_only_a_whole_value_reads_as_one(value, text):
    assert text == hundredths(value)


def _chart(points, width=760, **changes):
    parts = {"name": "n", "bound": "< 1", "limit": 1.0, "unit": "", "start": START,
             "end": START + 100, "step": 1.0}
    return svg(Chart(**(parts | changes), points=points), width)


def test_a_gap_in_the_data_is_a_gap_in_the_line():
    points = [(START + s, 0.5) for s in (*range(10), *range(30, 40))]
    assert 2 == _chart(points).count("<polyline")


@pytest.mark.parametrize("points", [
    pytest.param([], id="none"),
    pytest.param([(START, 1.0)], id="one"),
    pytest.param([(START + s, 0.0) for s in range(9)], id="all-zero"),
    pytest.param([(START + s, 1e9) for s in range(9)], id="huge"),
])
def test_any_data_can_be_drawn(points):
    ElementTree.fromstring(_chart(points, limit=0.0))


def test_thinning_keeps_the_worst_point():
    points = [(START + s / 100, 0.1) for s in range(10_000)]
    points[5001] = (points[5001][0], 9.0)
    assert "10" in re.findall(r">(\d+)</text>", _chart(points))
    assert _chart(points).count(",") < 1400


def test_thinning_keeps_the_lowest_and_the_highest_of_each_column():
    points = [(START + s / 100, float(s % 7)) for s in range(10_000)]
    chart = thinned(Chart("n", "< 1", 1, "", START, START + 100, 0.01, points), 50)
    assert (100, {0.0, 6.0}, 2.0) == (len(chart.points), {v for _, v in chart.points}, chart.step)


def test_thinning_keeps_a_gap():
    points = [(START + s / 10, 0.5) for s in range(72_000) if not 20_000 <= s < 30_000]
    drawn = _chart(points, end=START + 7200, step=0.1)
    assert 2 == drawn.count("<polyline")
