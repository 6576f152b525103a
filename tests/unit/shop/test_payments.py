"""How an order asks for its payment: limits, pauses, the breaker, and what metrics say (R2)."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import test_utils, web
from prometheus_client import CollectorRegistry

from shop.api import payments as code
from shop.api.payment_figures import PaymentFigures
from shop.api.payments import ATTEMPT_SECONDS, Payments

LIMIT, PLENTY = 10.0, 60.0


@pytest.fixture(autouse=True)
def _patient(request, monkeypatch):
    """A slow machine is no reason for a time-out, except where that is the subject."""
    if "hang" not in request.fixturenames:
        monkeypatch.setattr(code, "ATTEMPT_SECONDS", LIMIT)


@pytest.fixture
def hang():
    """An answer that never comes."""
    return "hang"


class Service:
    """A payment service that answers as it is told, one entry for each request."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def charge(self, request):
        self.asked.append(await request.json())
        answer = self.answers.pop(0) if self.answers else 201
        if answer == "hang":
            await asyncio.sleep(PLENTY)
        return web.json_response({}, status=answer)


class Asked:
    """The payments of one API, its service, and its figures."""

    def __init__(self, payments, service, registry):
        self.payments, self.service, self._registry = payments, service, registry

    async def charge(self, seconds=PLENTY):
        return await self.payments.charge("k", 100, seconds)

    def attempts(self, number, outcome):
        labels = {"attempt": str(number), "outcome": outcome}
        return self._registry.get_sample_value("shop_api_payment_attempts_total", labels)

    def figure(self, name, **labels):
        return self._registry.get_sample_value(f"shop_api_{name}", labels)


@asynccontextmanager
async def _asking(*answers, without=()):
    service, registry = Service(*answers), CollectorRegistry()
    app = web.Application()
    app.router.add_post("/charges", service.charge)
    async with test_utils.TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        payments = Payments(url, PaymentFigures(registry), lambda name: name not in without)
        await payments.open()
        try:
            yield Asked(payments, service, registry)
        finally:
            await payments.close()


def _run(scenario, *answers, without=()):
    async def run():
        async with _asking(*answers, without=without) as asked:
            return await scenario(asked)

    return asyncio.run(run())


def test_a_charge_is_one_request_with_key_and_amount():
    async def run(asked):
        assert await asked.charge()
        assert [{"key": "k", "amount_cents": 100}] == asked.service.asked
        assert 1 == asked.attempts(1, "ok")
        assert 1 == asked.figure("payment_seconds_count")

    _run(run)


def test_a_charge_that_was_made_before_is_well_too():
    async def run(asked):
        assert await asked.charge()

    _run(run, 200)


def test_a_failure_is_tried_again_after_a_pause_that_grows():
    async def run(asked):
        assert await asked.charge()
        assert (1, 1, 1) == (
            asked.attempts(1, "fail"), asked.attempts(2, "fail"), asked.attempts(3, "ok")
        )
        first = asked.figure("payment_retry_wait_seconds_sum", attempt="2")
        second = asked.figure("payment_retry_wait_seconds_sum", attempt="3")
        assert 0.04 <= first
        assert 0.08 <= second

    _run(run, 503, 500)


def test_after_three_attempts_it_is_enough():
    async def run(asked):
        assert not await asked.charge()
        assert 3 == len(asked.service.asked)

    _run(run, 503, 503, 503, 201)


def test_without_retry_there_is_one_attempt():
    async def run(asked):
        assert not await asked.charge()
        assert 1 == len(asked.service.asked)

    _run(run, 503, 201, without={"retry"})


def test_no_attempt_begins_that_could_not_run_to_its_limit():
    async def run(asked):
        assert not await asked.charge(seconds=LIMIT - 0.01)
        assert [] == asked.service.asked
        assert not await asked.charge(seconds=LIMIT + 0.001)
        assert 1 == len(asked.service.asked)  # the pause would not fit any more

    _run(run, 503)


def test_an_attempt_without_an_answer_ends_at_its_limit(hang):
    async def run(asked):
        assert await asked.charge()
        assert 1 == asked.attempts(1, "timeout")
        assert ATTEMPT_SECONDS <= asked.figure("payment_longest_seconds")

    _run(run, hang)


def test_without_a_timeout_an_attempt_goes_on_and_the_figures_see_it_at_once(hang):
    async def run(asked):
        going_on = asyncio.create_task(asked.charge())
        await asyncio.sleep(2 * ATTEMPT_SECONDS)
        assert not going_on.done()
        assert 1.9 * ATTEMPT_SECONDS < asked.figure("payment_longest_seconds")
        going_on.cancel()

    _run(run, hang, without={"timeout"})


def test_a_refused_connection_is_a_failure():
    async def run(asked):
        await asked.payments.close()
        lone = Payments("http://127.0.0.1:9", PaymentFigures(CollectorRegistry()))
        await lone.open()
        assert not await lone.charge("k", 1, PLENTY)
        await lone.close()

    _run(run)


def test_the_open_breaker_answers_at_once_and_asks_nobody():
    async def run(asked):
        assert not await asked.charge()  # three failures
        assert not await asked.charge()  # two more: open; its third attempt is refused
        asked_before = len(asked.service.asked)
        assert not await asked.charge()
        assert (5, 5) == (asked_before, len(asked.service.asked))
        assert (1, 1) == (asked.attempts(3, "rejected"), asked.attempts(1, "rejected"))
        assert 2 == asked.figure("breaker_state")
        assert 1 == asked.figure("breaker_transitions_total", to="open")

    _run(run, *[503] * 9)


def test_without_a_breaker_every_charge_asks():
    async def run(asked):
        for _ in range(3):
            await asked.charge()
        assert 9 == len(asked.service.asked)
        assert 0 == asked.figure("breaker_state")

    _run(run, *[503] * 9, without={"breaker"})


def test_a_cancelled_attempt_is_a_failure_to_the_breaker():
    async def run(asked):
        for _ in range(5):
            task = asyncio.create_task(asked.charge())
            while len(asked.service.asked) < 1:
                await asyncio.sleep(0)
            asked.service.asked.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert "open" == asked.payments.breaker.state.label

    _run(run, *["hang"] * 5)


@pytest.mark.parametrize("name", [
    'shop_api_breaker_transitions_total{to="half-open"} 0.0',
    'shop_api_payment_attempts_total{attempt="3",outcome="rejected"} 0.0',
    'shop_api_payment_retry_wait_seconds_count{attempt="2"} 0.0',
    "shop_api_breaker_state 0.0",
    "shop_api_payment_longest_seconds 0.0",
])
def test_every_figure_is_there_from_the_start(name):
    from prometheus_client import generate_latest

    registry = CollectorRegistry()
    PaymentFigures(registry)
    assert name in generate_latest(registry).decode()
