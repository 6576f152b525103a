"""What each address of the pages answers, once access has been checked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import (
    FileResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.exceptions import HTTPException

from holdfast.model.run import Run, RunState
from holdfast.ports.bundle import Ports
from holdfast.steps.overview import overview
from holdfast.steps.stop import stop as stop_faults
from holdfast.web import pages
from holdfast.web.access import Require, form_token
from holdfast.web.looks import within
from holdfast.web.pages import Button
from holdfast.web.plain import COMMON, expect_own_form, form_of, page, place_of, visitor_of
from holdfast.web.poller import Pollers
from holdfast.web.stream import events as stream

FIRST_LOOK_SECONDS = 10.0
"""How long a page waits to be filled; what is not there by then comes by the stream."""
LONGEST_WHY = 200
_NEXT_LOOK_SECONDS = 2.0
_FILE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
_DEAD = "; sandbox allow-same-origin"
"""No script, form or window in a file that is a page. It keeps its origin, which without scripts
is of no use to it: Chromium leaves a frame inside Airflow's blank otherwise."""
_SHOWN = ("text/html", "text/plain", "text/markdown", "application/json")
"""No PDF: the frames of Airflow's pages are sandboxed, and no viewer works in a sandbox."""
_STREAM = COMMON | {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_STATIC = {"page.css": ("text/css", pages.style), "page.js": ("text/javascript", pages.script)}


@dataclass(frozen=True)
class Routes:
    """The end points. Each runs in the server's loop; what blocks is done in threads."""

    ports: Callable[[], Ports]
    require: Require
    run_of: Callable[[str, str], str]
    pollers: Pollers

    async def overview(self, request: Request) -> Response:
        """Runs and environments."""
        stores, visitor = self.pollers.threads.stores, visitor_of(request)
        seen = await within(stores, overview, self.ports())
        suites = {run.suite for run in seen.runs}
        suites |= {there.holder.suite for there in seen.places if there.holder}
        readable = await within(stores, visitor.readable, suites)
        return page(pages.overview_page(seen, readable, place_of(request)))

    async def static(self, name: str) -> Response:
        """The style and the script."""
        if name not in _STATIC:
            raise HTTPException(404, f"there is no file {name}")
        media_type, read = _STATIC[name]
        return Response(read(), media_type=media_type, headers=COMMON | {
            "Cache-Control": "no-cache",
        })

    async def run(self, request: Request, dag_id: str, run_id: str) -> Response:
        """The page of a run as it is now; 404, and still live, before it has begun."""
        ours, run = await self._run(dag_id, run_id)
        async with self.pollers.listen(ours) as poller:
            await poller.change(0, FIRST_LOOK_SECONDS)
            drawn = {name: part.html for name, part in poller.parts.items()}
        if not drawn:
            drawn |= pages.parts(None, "The stores have not answered yet.")
        place = place_of(request, f"/runs/{dag_id}/{run_id}")
        is_over = run is not None and run.state is not RunState.STARTED
        button = None if is_over else await self._button(request, dag_id, ours)
        text = pages.run_page(run.id if run else dag_id, drawn, place, button)
        return page(text, 200 if run else 404)

    async def events(self, request: Request, dag_id: str, run_id: str) -> Response:
        """The page's changes, as they come."""
        ours, _ = await self._run(dag_id, run_id)
        last = request.headers.get("last-event-id", "")
        return StreamingResponse(
            stream(self.pollers, ours, last), media_type="text/event-stream", headers=_STREAM
        )

    async def file(self, dag_id: str, run_id: str, name: str) -> Response:
        """An artefact of this run, by its name in the run's list; nothing else can be named."""
        ours, _ = await self._run(dag_id, run_id)
        ports, stores = self.ports(), self.pollers.threads.stores
        kept = await within(stores, ports.artefacts.of, ours)
        found = next((artefact for artefact in kept if artefact.name == name), None)
        if found is None:
            raise HTTPException(404, f"the run has no file {name}")
        is_page = found.media_type.startswith("text/html")
        policy = _FILE + _DEAD if is_page else _FILE
        shown = found.media_type.startswith(_SHOWN)
        return FileResponse(
            ports.artefacts.path(found), media_type=found.media_type, filename=found.name,
            content_disposition_type="inline" if shown else "attachment",
            headers=COMMON | {"Cache-Control": "no-store", "Content-Security-Policy": policy},
        )

    async def ask(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Ask whether to stop the run, where no script does it."""
        ours, run = await self._run(dag_id, run_id)
        place = place_of(request, f"/runs/{dag_id}/{run_id}")
        button = await self._button(request, dag_id, ours)
        if run is None or run.state is not RunState.STARTED or button is None:
            return RedirectResponse(place.root + place.run, 303)
        return page(pages.confirm_page(run, place, button))

    async def stop(self, request: Request, dag_id: str, run_id: str) -> Response:
        """Stop the run in the visitor's name, and come back when every fault of it is gone."""
        ours, run = await self._run(dag_id, run_id)
        form = await form_of(request)
        visitor = visitor_of(request)
        expect_own_form(self.require, request, self.ports().clock.now(), ours, form)
        if run is None:
            raise HTTPException(404, "this run has not begun")
        if run.state is not RunState.STARTED:
            raise HTTPException(409, f"this run is {run.state.value}: there is nothing to stop")
        why = " ".join(form.get("why", "").split())[:LONGEST_WHY]
        text = f"{visitor.name} pressed stop on the page" + (f": {why}" if why else "")
        async with self.pollers.listen(ours) as poller:
            await asyncio.to_thread(stop_faults, self.ports(), visitor.name, text, run_id=ours)
            await poller.change(poller.number, _NEXT_LOOK_SECONDS)  # the page they come back to
        return RedirectResponse(f"{place_of(request).root}/runs/{dag_id}/{run_id}", 303)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Say why not: to people as a page, to programs as JSON."""
        if not isinstance(error, HTTPException):
            raise error
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
        login_page = self.require.login_page(request.url.path) if error.status_code == 401 else ""
        text = pages.message_page(error.status_code, error.detail, place_of(request), login_page)
        return page(text, error.status_code)

    async def fail(self, request: Request, error: Exception) -> Response:
        """Say what is wrong with the stores or the evidence."""
        return page(pages.message_page(503, str(error), place_of(request)), 503)

    async def _run(self, dag_id: str, run_id: str) -> tuple[str, Run | None]:
        """The run's id and its book, if there is one; access was checked for this DAG only."""
        ours = self.run_of(dag_id, run_id)
        run = await within(self.pollers.threads.stores, self.ports().books.run, ours)
        if run is not None and run.suite != dag_id:
            raise HTTPException(404, "this run is of another suite")
        return ours, run

    async def _button(self, request: Request, dag_id: str, run_id: str) -> Button | None:
        """For who may stop the run."""
        visitor = visitor_of(request)
        if not await within(self.pollers.threads.stores, visitor.may_stop, dag_id):
            return None
        now = self.ports().clock.now().timestamp()
        token = form_token(self.require.secret(), visitor.name, run_id, now)
        return Button(token, visitor.name)
