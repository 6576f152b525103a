"""The payment service's API: charge a key once."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel, Field

from shop.payment.charges import Charges, Outcome

_CODES = {Outcome.NEW: 201, Outcome.AGAIN: 200, Outcome.OTHER_AMOUNT: 409}


class Charge(BaseModel, frozen=True, extra="forbid"):
    """Money to take; the same key is the same charge."""

    key: str = Field(min_length=1, max_length=64)
    amount_cents: int = Field(ge=1)


class Figures:
    """What the service tells Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.charges = Counter(
            "shop_payment_charges", "Charges by what became of them.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        for outcome in Outcome:
            self.charges.labels(outcome.value)
        self.seconds = Histogram(
            "shop_payment_seconds", "Time to charge, in the service itself.",
            registry=self.registry,
        )  # fmt: skip


def create_app(charges: Charges) -> FastAPI:
    """Build the application; it closes the ledger when it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        charges.close()

    app = FastAPI(title="payment", lifespan=lifespan, docs_url=None, redoc_url=None)
    figures = Figures()

    @app.post("/charges")
    async def charge(charge: Charge) -> Response:
        began = time.monotonic()
        outcome = charges.charge(charge.key, charge.amount_cents)
        figures.seconds.observe(time.monotonic() - began)
        figures.charges.labels(outcome.value).inc()
        return JSONResponse({"key": charge.key, "outcome": outcome.value}, _CODES[outcome])

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> bytes:
        return generate_latest(figures.registry)

    return app
