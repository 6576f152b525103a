"""The storefront's API: orders, transfers, products, and the page that shows them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, Field

from shop.api import statements
from shop.api.pool import Pool, Refused, Unknown

_PAGE = Path(__file__).with_name("page.html")
_KEY = Field(min_length=1, max_length=64)
_ACCOUNT = Field(ge=1, le=100)


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


class Figures:
    """What this process tells Prometheus."""

    def __init__(self, pool: Pool) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "shop_api_requests", "Requests by route and code.", ["route", "code"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "shop_api_seconds", "Time to answer.", ["route"], registry=self.registry
        )
        for name, key in (("size", "pool_size"), ("waiting", "requests_waiting")):
            gauge = Gauge(f"shop_api_pool_{name}", f"The pool's {key}.", registry=self.registry)
            gauge.set_function(partial(_figure, pool, key))


def _figure(pool: Pool, key: str) -> float:
    return pool.figures().get(key, 0)


def create_app(name: str, pool: Pool) -> FastAPI:
    """Build the application; it serves its page also when the database is away."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool.open()
        yield
        await pool.close()

    app = FastAPI(title="shop", lifespan=lifespan, docs_url=None, redoc_url=None)
    figures, page = Figures(pool), _PAGE.read_text()

    @app.middleware("http")
    async def measure(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        began = time.monotonic()
        response = await answer(request)
        response.headers["x-shop-api"] = name
        route = request.scope.get("route")
        path = getattr(route, "path", "other")
        figures.requests.labels(path, response.status_code).inc()
        figures.seconds.labels(path).observe(time.monotonic() - began)
        return response

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Exception) -> Response:
        body = {"written": False, "error": str(error)}
        return JSONResponse(body, 503, headers={"x-shop-written": "no"})

    @app.exception_handler(Unknown)
    async def unknown(_request: Request, error: Exception) -> Response:
        return JSONResponse({"written": None, "error": str(error)}, 504)

    @app.get("/", response_class=HTMLResponse)
    async def show_page() -> str:
        return page

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> bytes:
        return generate_latest(figures.registry)

    _add_shop(app, pool)
    return app


def _add_shop(app: FastAPI, pool: Pool) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> Response:
        standby = (await pool.run(statements.READY))[0]["standby"]
        return JSONResponse({"writable": not standby}, 503 if standby else 200)

    @app.post("/orders", status_code=201)
    async def order(order: Order) -> dict[str, str]:
        await pool.run(statements.ORDER, order.model_dump())
        return {"key": order.key}

    @app.post("/transfers", status_code=201)
    async def transfer(transfer: Transfer) -> Response:
        done = (await pool.run(statements.TRANSFER, transfer.model_dump()))[0]["done"]
        body = {"key": transfer.key, "done": done}
        return JSONResponse(body, 201 if done else 409)

    @app.get("/products")
    async def products() -> Response:
        return JSONResponse(await pool.run(statements.PRODUCTS))

    @app.get("/shopfront")
    async def shopfront() -> Response:
        return JSONResponse((await pool.run(statements.SHOPFRONT))[0])
