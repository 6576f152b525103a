"""The pages without Airflow: who asks is said in a header, what they may in a table."""

from asyncio import Runner
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from httpx import ASGITransport, AsyncClient, Response

from holdfast.ports.bundle import Ports
from holdfast.web.access import Require, Visitor
from holdfast.web.app import create_app

SECRET = b"for tests only"
SUITE = "checkout"
READERS = {"ana": {SUITE}, "rob": {SUITE}, "sam": set[str]()}
STOPPERS = {"ana": {SUITE}}


def pages(
    ports: Ports, run_of: Callable[[str, str], str] | None = None, **more: set[str]
) -> FastAPI:
    """Ana may read and stop the suite, Rob may read it, Sam may only log in; `more` may read."""
    named = run_of or (lambda dag_id, run_id: f"{dag_id}--{run_id}")
    return create_app(lambda: ports, requirements(**more), named)


def requirements(**more: set[str]) -> Require:
    """Who may see what; `more` are readers beside Ana, Rob and Sam."""
    def login(x_who: Annotated[str, Header()] = "") -> Visitor:
        if x_who in more:
            return Visitor(x_who, more[x_who].intersection, lambda _: False)
        return _login(x_who)

    return Require(login, _reader, _stopper, lambda back: f"/login?next={back}", lambda: SECRET)


def _login(x_who: Annotated[str, Header()] = "") -> Visitor:
    if x_who not in READERS:
        raise HTTPException(401, "Not authenticated")
    readable, stoppable = READERS[x_who], STOPPERS.get(x_who, set())
    return Visitor(x_who, readable.intersection, stoppable.__contains__)


def _reader(request: Request, visitor: Annotated[Visitor, Depends(_login)]) -> Visitor:
    if request.path_params["dag_id"] not in READERS[visitor.name]:
        raise HTTPException(403, "Forbidden")
    return visitor


def _stopper(request: Request, visitor: Annotated[Visitor, Depends(_login)]) -> Visitor:
    if not visitor.may_stop(request.path_params["dag_id"]):
        raise HTTPException(403, "Forbidden")
    return visitor


class Asking:
    """Asks an app as a browser would, in one loop of its own; a context that ends the loop."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self._runner = app, Runner()

    def __enter__(self) -> "Asking":
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def __call__(
        self, who: str, path: str, method: str = "GET", headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """Ask as somebody; nobody when `who` is empty."""
        return self._runner.run(self._ask(method, path, {"x-who": who, **(headers or {})}, more))

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str], more: Mapping[str, Any]
    ) -> Response:
        async with AsyncClient(transport=ASGITransport(self._app), base_url="http://here") as web:
            return await web.request(method, path, headers=headers, **more)
