"""The storefront's routes: what customers look at, and what they write."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header, Response
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from shop.api import statements
from shop.api.parts import Parts
from shop.api.pool import Refused
from shop.front import ANSWER_WITHIN_MS

_PAGE = Path(__file__).with_name("page.html")
_KEY = Field(min_length=1, max_length=64)
_ACCOUNT = Field(ge=1, le=100)
# An order is answered before HAProxy sends it to the other API: its payment must not outlast this.
ORDER_SECONDS = ANSWER_WITHIN_MS / 1000 - 0.1


class Order(BaseModel, frozen=True, extra="forbid"):
    """What a customer buys; sent again with the same key it is the same order."""

    key: str = _KEY
    item: int = Field(ge=1, le=8)
    quantity: int = Field(default=1, ge=1, le=10)


class Transfer(BaseModel, frozen=True, extra="forbid"):
    """Money from one account to another; the same key is the same transfer."""

    key: str = _KEY
    source: int = _ACCOUNT
    target: int = _ACCOUNT
    amount: int = Field(ge=1, le=100)


def add_looks(app: FastAPI, parts: Parts) -> None:
    """Add what only reads."""
    page = _PAGE.read_text()

    @app.get("/", response_class=HTMLResponse)
    async def show_page() -> str:
        return page

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> Response:
        standby = (await parts.pool.run(statements.READY))[0]["standby"]
        return JSONResponse({"writable": not standby}, 503 if standby else 200)

    @app.get("/products")
    async def products() -> Response:
        return JSONResponse(await parts.pool.run(statements.PRODUCTS))

    @app.get("/shopfront")
    async def shopfront() -> Response:
        found = (await parts.pool.run(statements.SHOPFRONT))[0]
        return JSONResponse(found | {"breaker": parts.breaker})

    @app.get("/accounts/{account}")
    async def account(
        account: Annotated[int, InPath(ge=1, le=100)],
        x_reader: Annotated[str, Header(min_length=1, max_length=100)],
    ) -> Response:
        found = (await parts.pool.run(statements.ACCOUNT, {"account": account}))[0]
        try:
            parts.audit.write(x_reader, account)
        except OSError as error:
            raise Refused(f"the reading cannot be noted: {error}") from error
        return JSONResponse({"account": found["id"], "balance": found["balance"]})


def add_writes(app: FastAPI, parts: Parts) -> None:
    """Add what changes something; each carries a key, and happens once."""

    @app.post("/orders")
    async def order(order: Order) -> Response:
        deadline = asyncio.get_running_loop().time() + ORDER_SECONDS
        placed = (await parts.pool.run(statements.ORDER, order.model_dump()))[0]
        payment = placed["payment"]
        if payment == "pending":
            left = deadline - asyncio.get_running_loop().time()
            if await parts.payments.charge(order.key, placed["amount_cents"], left):
                parts.collector.paid(order.key)
                payment = "paid"
            elif parts.falls_back:
                parts.figures.fallbacks.inc()
            else:
                # The order is there, and pending: who sends it again may have better luck.
                return JSONResponse({"key": order.key, "error": "the payment failed"}, 502)
        return JSONResponse({"key": order.key, "payment": payment}, 201)

    @app.post("/transfers")
    async def transfer(transfer: Transfer) -> Response:
        done = (await parts.pool.run(statements.TRANSFER, transfer.model_dump()))[0]["done"]
        body = {"key": transfer.key, "done": done}
        return JSONResponse(body, 201 if done else 409)
