"""The storefront's API: what all requests share. The routes are in `shop.api.routes`."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import generate_latest

from shop.api.parts import Parts
from shop.api.pool import Refused, Unknown
from shop.api.routes import add_looks, add_writes


def create_app(parts: Parts) -> FastAPI:
    """Build the application; it serves its page also when the database is away."""
    app = FastAPI(title="shop", lifespan=_life(parts), docs_url=None, redoc_url=None)
    figures = parts.figures

    @app.middleware("http")
    async def measure(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        began = time.monotonic()
        response = await answer(request)
        response.headers["x-shop-api"] = parts.name
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

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> bytes:
        return generate_latest(figures.registry)

    add_looks(app, parts)
    add_writes(app, parts)
    return app


def _life(parts: Parts) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await parts.pool.open()
        await parts.payments.open()
        collecting = asyncio.create_task(parts.collector.run())
        yield
        collecting.cancel()
        with suppress(asyncio.CancelledError):
            await collecting
        await parts.payments.close()
        await parts.pool.close()
        parts.audit.close()

    return lifespan
