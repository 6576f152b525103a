"""Which samples of Prometheus are too old, and how that is asked (S4)."""

import pytest

from holdfast.clients.promql import fresh, is_selector, parameters


@pytest.mark.parametrize(("query", "one"), [
    ("up", True), ("job:errors:ratio", True), (' up{job="shop", code=~"5.."} ', True),
    ("up{job='shop'}", True), ("sum(up)", False), ("up[1m]", False), ("up offset 5m", False),
    ("up > 1", False), ("1", False), ("NaN", False), ('up{job="a"} or up{job="b"}', False),
    ('up{job="a}"}', True), ("up{", False), ("", False),
])
def test_only_a_selector_alone_has_samples_with_dates(query, one):
    assert one == is_selector(query)


def test_a_selectors_old_samples_are_left_out_in_any_version():
    assert "up and (timestamp(up) >= time() - 2.5)" == fresh("up ", 2.5)


def test_any_other_query_is_asked_as_it_is_with_a_shorter_look_back():
    assert {"query": "sum(up)", "lookback_delta": "3"} == parameters("sum(up)", 3.0)


def test_without_an_age_nothing_is_changed():
    assert {"query": "up"} == parameters("up", None)
