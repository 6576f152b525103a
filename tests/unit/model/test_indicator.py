"""How an objective says where it is measured."""

import pytest

from holdfast.model.indicator import Indicator


@pytest.mark.parametrize(("given", "told"), [
    ({"prometheus": "up"}, "up"),
    ({"prometheus": "e[$window]/r[$window]", "window": "1m"}, "e[60s]/r[60s]"),
    ({"http": "shop"}, "success GET / at shop (200)"),
    ({"http": "shop", "path": "/x", "measure": "latency", "status": 204},
     "latency GET /x at shop (204)"),
    ({"http": "shop", "path": "/x", "field": "a.b"}, "'a.b' of GET /x at shop (200)"),
    ({"sql": "db", "query": "SELECT 1"}, "SELECT 1 on db"),
    ({"command": ["depth", "-q"]}, "command depth -q"),
])
def test_it_says_in_one_line_what_is_asked(given, told):
    assert told == str(Indicator.model_validate(given))


def test_an_indicator_asks_itself_unless_prometheus_is_asked():
    one = Indicator(http="shop")
    assert one is one.question()
    assert "up" == Indicator(prometheus="up").question()
    assert one == Indicator.model_validate(one.model_dump(mode="json"))
    assert {one: 1}[Indicator(http="shop")] == 1
