"""Queries that would cost a Prometheus too much (O1: hostile input)."""

import pytest

from holdfast.model.promql import MOST_LETTERS, costly


@pytest.mark.parametrize("query", [
    "up", "rate(errors_total[5m])", "max_over_time(rate(x[1m])[1h:10s])", 'x{a="[99y:1ms]"}',
    "sum(x) # [99y]", "avg_over_time(x[3d])", "x[$window]", "x offset 1y", "rate(x[1h30m])",
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
])
def test_these_are_not(query, told):
    found = costly(query)
    assert (told is None) is (found is None)
    assert found is None or told in found.text
