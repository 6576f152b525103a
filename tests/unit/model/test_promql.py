"""Queries that would cost a Prometheus too much (O1: hostile input)."""

import time

import pytest

from holdfast.model.promql import MOST_LETTERS, costly


@pytest.mark.parametrize("query", [
    "up", "rate(errors_total[5m])", "max_over_time(rate(x[1m])[1h:10s])", 'x{a="[99y:1ms]"}',
    "sum(x) # [99y]", "avg_over_time(x[3d])", "x[$window]", "x offset 1y", "rate(x[1h30m])",
    "x[ 300 ] # \"", "sum(x[5m #[99y]\n])", "x['", "x[$window:$window]", "x['\\'[99y]'}[5m]",
])
def test_these_are_cheap_enough(query):
    assert None is costly(query)


@pytest.mark.parametrize(("query", "told"), [
    ("rate(x[30d])", "the query looks back over [30d]"),
    ("rate(x[99999999])", "looks back over [99999999]"),
    ("max_over_time(x[1d:1ms])", "subqueries have 8.64e+07 points"),
    ("max_over_time(max_over_time(x[1h:10s])[1d:10s])", "points"),
    ("max_over_time(x[3d:])", None),
    ("x" * (MOST_LETTERS + 1), f"the query has {MOST_LETTERS + 1} letters"),
    ("x[" + "9" * 5000, "letters"),
    *((f"x[{length}]", f"how long [{length}] is cannot be judged") for length in (
        "1e9", "0xFFFFFFF", "1_000_000_000", "Inf", "9" * 20, "1h:1e-9", "3d:0", "3d:0s", "", "0m",
        "5m*1000", "5m+$window", "1d 1d", "$step",
    )),
    ("x[1y #]\n]", "looks back over [1y"),
])
def test_these_are_not_cheap(query, told):
    found = costly(query)
    assert (told is None) is (found is None)
    assert found is None or told in found.text


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_text_without_an_end_is_looked_through_once(quote):
    begun = time.process_time()
    for _ in range(20):
        costly(quote + f"\\{quote}" * 2000)
    assert time.process_time() - begun < 0.2
