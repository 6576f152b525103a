"""The pages as a FastAPI app, to be mounted anywhere. No route is without a check of access."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from starlette.exceptions import HTTPException

from holdfast.errors import HoldfastError
from holdfast.ports.bundle import Ports
from holdfast.web import pages
from holdfast.web.access import Require, Visitor
from holdfast.web.evidence_pages import EvidencePages
from holdfast.web.poller import Pollers
from holdfast.web.routes import Routes


def create_app(
    ports: Callable[[], Ports], require: Require, run_of: Callable[[str, str], str]
) -> FastAPI:
    """Make the app; `run_of` gives a run's id from the DAG's and the DAG run's.

    `ports` is called when the first page is asked for, not before.
    """
    routes = Routes(ports, require, run_of, Pollers(ports, pages.parts))
    evidence = EvidencePages(ports, require)
    table = (
        ("GET", "/", routes.overview, require.login),
        ("GET", "/static/{name}", routes.static, require.login),
        ("GET", "/runs/{dag_id}/{run_id}", routes.run, require.read),
        ("GET", "/runs/{dag_id}/{run_id}/events", routes.events, require.read),
        ("GET", "/runs/{dag_id}/{run_id}/files/{name}", routes.file, require.read),
        ("GET", "/runs/{dag_id}/{run_id}/stop", routes.ask, require.stop),
        ("POST", "/runs/{dag_id}/{run_id}/stop", routes.stop, require.stop),
        ("GET", "/controls", evidence.controls, require.login),
        ("GET", "/evidence", evidence.search, require.login),
        ("GET", "/evidence/{index}", evidence.record, require.login),
        ("POST", "/evidence/exports", evidence.ask, require.login),
        ("GET", "/evidence/exports/{export_id}", evidence.bundle, require.login),
    )
    app = FastAPI(title="Holdfast", docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, endpoint, check in table:
        app.add_api_route(
            path, endpoint, methods=[method], response_model=None,
            dependencies=[Depends(_remembered(check))],
        )
    app.add_exception_handler(HTTPException, routes.refuse)
    app.add_exception_handler(HoldfastError, routes.fail)
    return app


def _remembered(check: Callable[..., Any]) -> Callable[..., None]:
    """The check as a dependency that leaves its Visitor with the request."""
    def remember(request: Request, visitor: Annotated[Visitor, Depends(check)]) -> None:
        request.state.visitor = visitor

    return remember
