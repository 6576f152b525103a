"""Whether what was normal is normal still (D4)."""

import pytest

from holdfast.model.quantities import Bound, parse_bound
from holdfast.safety.drift import drift

LATENCY = Bound.model_validate(parse_bound("< 500ms"))
AVAILABILITY = Bound.model_validate(parse_bound(">= 99%"))
RATE = Bound.model_validate(parse_bound(">= 40"))


def runs(*values):
    return [{"p50": v, "p95": v} for v in values]


def test_a_median_that_earlier_runs_do_not_explain_is_named_with_figures():
    told = drift(LATENCY, {"p50": 0.12, "p95": 0.031}, runs(0.03, 0.031, 0.029, 0.03))
    assert (
        "its median was 120ms, in 4 earlier runs 30ms: worse than they explain (z 6.1)"
    ) == told


def test_both_figures_are_named():
    told = drift(LATENCY, {"p50": 0.2, "p95": 0.2}, runs(0.03, 0.03, 0.03))
    assert ["its median", "its 95th percentile"] == [
        part.partition(" was ")[0] for part in told.split("; ")]


@pytest.mark.parametrize(("bound", "value", "before"), [
    pytest.param(LATENCY, 0.12, (0.03, 0.03), id="two-runs-are-not-enough"),
    pytest.param(LATENCY, 0.04, (0.03, 0.03, 0.03), id="nobody-would-feel-it"),
    pytest.param(LATENCY, 0.12, (0.03, 0.09, 0.2, 0.15), id="it-always-varied"),
    pytest.param(LATENCY, None, (0.03, 0.03, 0.03), id="no-data-now"),
    pytest.param(LATENCY, 0.12, (None, None, None, 0.03), id="no-data-before"),
    pytest.param(AVAILABILITY, 0.9995, (1.0, 1.0, 1.0), id="availability-as-before"),
    pytest.param(Bound.model_validate(parse_bound("<= 0")), 0.0, (0.0, 0.0, 0.0), id="all-zero"),
])
def test_what_earlier_runs_explain_is_no_drift(bound, value, before):
    assert "" == drift(bound, {"p50": value, "p95": value}, runs(*before))


@pytest.mark.parametrize(("bound", "value", "before", "way"), [
    (LATENCY, 0.01, (0.2, 0.2, 0.2), "better"),
    (AVAILABILITY, 0.995, (1.0, 1.0, 1.0), "worse"),
    (RATE, 60.0, (45.0, 45.0, 45.0), "better"),
])
def test_it_says_which_way(bound, value, before, way):
    assert f": {way} than" in drift(bound, {"p50": value, "p95": value}, runs(*before))
