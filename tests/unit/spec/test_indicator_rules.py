"""Every way to measure an objective that is sound (S4); tests/cases/broken has the others."""

import pytest

from holdfast.spec.load import load_text
from support import suites


@pytest.mark.parametrize(("indicator", "bound"), [
    ("{prometheus: up}", ">= 1"), ("{prometheus: 'e[$window]', window: 10s}", "< 1%"),
    ("{http: shop_http}", ">= 1"), ("{http: shop_http, path: '/x?y=1', status: 204}", "> 0.5"),
    ("{http: shop_http, measure: latency}", "< 300ms"), ("{http: shop_http, field: a.0}", "< 40s"),
    ("{sql: shop_db, query: SELECT count(*) FROM x;}", "< 5"),
    ("{sql: shop_db, query: 'with a as (select 1) select * from a'}", "<= 5"),
    ("{command: [queue-depth, '; rm -rf /']}", "< 10"),
])
def test_an_objective_may_be_measured_so(indicator, bound):
    change = (f'{{prometheus: "{suites.LATENCY}"}}, objective: "< 500ms"',
              f'{indicator}, objective: "{bound}"')
    read = load_text(suites.text(change), "f", suites.known()).suite
    again = type(read).model_validate(read.model_dump(mode="json", by_alias=True))
    assert read == again


@pytest.mark.parametrize("stop", [
    "> 14.4x over 1h and 5m", "> 60% for 4s", ["> 60% for 4s", "> 2x over 10s and 2s"],
])
def test_a_fault_may_be_ended_so(stop):
    change = (f'{{prometheus: "{suites.ERRORS}"}}', "{prometheus: 'e[$window]', window: 10s}")
    suite = suites.suite(change, ('"> 60% for 4s"', repr(stop)))
    again = type(suite).model_validate(suite.model_dump(mode="json", by_alias=True))
    assert suite == again
