"""The payment service: a key is charged once, also across its own death."""

import asyncio

import httpx
import pytest

from shop.payment.app import create_app
from shop.payment.charges import Charges, Outcome


@pytest.fixture
def file(tmp_path):
    return tmp_path / "payment" / "charges.db"


def test_a_key_is_charged_once_and_keeps_its_amount(file):
    charges = Charges(file)
    outcomes = [charges.charge("k", 5), charges.charge("k", 5), charges.charge("k", 6)]
    assert [Outcome.NEW, Outcome.AGAIN, Outcome.OTHER_AMOUNT] == outcomes


def test_what_was_charged_is_known_to_the_next_process(file):
    Charges(file).charge("k", 5)  # never closed: its process was killed
    assert Outcome.AGAIN is Charges(file).charge("k", 5)


@pytest.mark.parametrize(("body", "code"), [
    pytest.param({"key": "k", "amount_cents": 5}, 201, id="new"),
    pytest.param({"key": "there", "amount_cents": 5}, 200, id="again"),
    pytest.param({"key": "there", "amount_cents": 6}, 409, id="other-amount"),
    pytest.param({"key": "k", "amount_cents": 0}, 422, id="nothing-to-charge"),
    pytest.param({"key": "", "amount_cents": 5}, 422, id="no-key"),
    pytest.param({"key": "k"}, 422, id="no-amount"),
])
def test_a_charge_answers_what_became_of_it(file, body, code):
    charges = Charges(file)
    charges.charge("there", 5)
    assert [code] == [a.status_code for a in _ask(charges, ("POST", "/charges", body))]


def test_the_service_tells_its_health_and_figures(file):
    charge = ("POST", "/charges", {"key": "k", "amount_cents": 5})
    looks = [("GET", path, None) for path in ("/health", "/metrics")]
    _, health, metrics = _ask(Charges(file), charge, *looks)
    assert {"status": "ok"} == health.json()
    assert 'shop_payment_charges_total{outcome="new"} 1.0' in metrics.text


def _ask(charges, *requests):
    async def run():
        transport = httpx.ASGITransport(create_app(charges))
        async with httpx.AsyncClient(transport=transport, base_url="http://payment") as client:
            return [await client.request(how, path, json=body) for how, path, body in requests]

    return asyncio.run(run())
