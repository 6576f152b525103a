"""The load's raises: more requests for a while, and never for longer than was asked (F6)."""

import asyncio

import pytest
from aiohttp import test_utils

from shop.load.control import Control
from shop.load.figures import Figures
from shop.load.raises import BadRaise, Raises


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def raises(time):
    return Raises(time)


def test_raises_side_by_side_multiply_and_each_can_be_taken_back(raises):
    raises.put("a", {"factor": 3, "seconds": 20})
    raises.put("b", {"factor": 2, "seconds": 20})
    assert 6 == raises.factor()
    assert raises.delete("a")
    assert 2 == raises.factor()
    assert not raises.delete("a")


def test_a_raise_ends_by_itself(raises, time):
    raises.put("a", {"factor": 3, "seconds": 20})
    time.now = 19.9
    assert 3 == raises.factor()
    time.now = 20.0
    assert (1, [], None) == (raises.factor(), raises.as_json(), raises.show("a"))


def test_a_raise_that_is_set_again_has_its_whole_time(raises, time):
    raises.put("a", {"factor": 3, "seconds": 20})
    time.now = 15.0
    raises.put("a", {"factor": 4, "seconds": 20})
    assert {"mark": "a", "factor": 4.0, "seconds_left": 20.0} == raises.show("a")


def test_raises_together_have_an_end_too(raises):
    raises.put("a", {"factor": 20, "seconds": 20})
    raises.put("b", {"factor": 20, "seconds": 20})
    assert 20 == raises.factor()


@pytest.mark.parametrize(("body", "said"), [
    pytest.param([], "factor", id="not-an-object"),
    pytest.param({"seconds": 1}, "'factor'", id="no-factor"),
    pytest.param({"factor": 2}, "'seconds'", id="no-seconds"),
    pytest.param({"factor": "2", "seconds": 1}, "'factor'", id="a-word"),
    pytest.param({"factor": True, "seconds": 1}, "'factor'", id="a-truth"),
    pytest.param({"factor": 1, "seconds": 1}, "between 1 and 20", id="no-raise"),
    pytest.param({"factor": 21, "seconds": 1}, "between 1 and 20", id="too-much"),
    pytest.param({"factor": float("nan"), "seconds": 1}, "between 1 and 20", id="no-number"),
    pytest.param({"factor": 2, "seconds": 0}, "between 0 and 3600", id="no-time"),
    pytest.param({"factor": 2, "seconds": 3601}, "between 0 and 3600", id="too-long"),
])
def test_a_bad_raise_is_refused_with_its_reason(raises, body, said):
    with pytest.raises(BadRaise, match=said):
        raises.put("a", body)
    assert [] == raises.as_json()


def _with_client(raises, scenario):
    async def run():
        app = Control(Figures(), raises, 50.0).app()
        async with test_utils.TestClient(test_utils.TestServer(app)) as client:
            return await scenario(client)

    return asyncio.run(run())


def test_a_raise_over_http_is_put_seen_and_taken_back(raises):
    async def scenario(client):
        put = await client.put("/raises/m", json={"factor": 3, "seconds": 20})
        listed = await (await client.get("/raises")).json()
        shown = await client.get("/raises/m")
        deleted = await client.delete("/raises/m")
        after = await (await client.get("/raises")).json()
        gone = [(await client.get("/raises/m")).status, (await client.delete("/raises/m")).status]
        return put.status, listed, shown.status, deleted.status, after, gone

    one = {"mark": "m", "factor": 3.0, "seconds_left": 20.0}
    before, after = {"raises": [one], "rate": 150.0}, {"raises": [], "rate": 50.0}
    assert (200, before, 200, 204, after, [404, 404]) == _with_client(raises, scenario)


@pytest.mark.parametrize("data", ['{"factor": 0, "seconds": 1}', "{", "[]"])
def test_a_bad_raise_over_http_says_what_is_wrong(raises, data):
    async def scenario(client):
        answer = await client.put("/raises/m", data=data)
        return answer.status, await answer.json()

    status, body = _with_client(raises, scenario)
    assert 400 == status
    assert body["error"]
