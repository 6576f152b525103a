"""The retrieval API: evidence for programs. Every route checks access; nothing can be changed."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from holdfast.audit.request import Request as Wish
from holdfast.audit.request import read_moment
from holdfast.controls.coverage import gaps as open_gaps
from holdfast.errors import EvidenceError, HoldfastError
from holdfast.evidence.checkpoint import read_checkpoint
from holdfast.evidence.tiles import WIDTH, bundled
from holdfast.model.control import Standing
from holdfast.model.retrieval import Wanted
from holdfast.ports.bundle import Ports
from holdfast.spec.problems import nearest
from holdfast.steps import exports, retrieve
from holdfast.steps.catalogues import catalogue
from holdfast.steps.coverage import standings
from holdfast.web.access import Require, Visitor, has_own_credentials, is_same_origin
from holdfast.web.answers import (
    Asked,
    Consistency,
    Entries,
    ExportOf,
    Sought,
    StandingOf,
    Standings,
    Trail,
    WholeEntry,
)
from holdfast.web.plain import visitor_of

DISCLAIMER = "It supports evidence for controls. Whether one is met is for people to judge."
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox"}
_Index = Annotated[int, Path(ge=0, le=2**31 - 1)]
_Text = Annotated[str, Query(max_length=250)]
_Framework = Annotated[str, Query(max_length=250, description="such as dora", examples=["dora"])]
_Days = Annotated[int, Query(ge=1, le=3650)]
_MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "there is no such thing here"}}


def create_api(ports: Callable[[], Ports], require: Require) -> FastAPI:
    """Make the app, to be mounted as `/evidence/v1`."""
    routes = _Routes(ports)
    app = FastAPI(
        title="Holdfast evidence", version="1", docs_url=None, redoc_url=None, openapi_url=None,
        description="Signed records of resilience tests, their proofs, files, and how controls "
                    "stand by them. " + DISCLAIMER,
        dependencies=[Depends(_remembered(require.login))],
        responses={401: {"description": "who are you?"}, 403: {"description": "not for you"},
                   400: {"description": "what was asked makes no sense"},
                   503: {"description": "the log cannot be read or trusted"}},
    )
    for path, endpoint, model in (
        ("/entries", routes.entries, Entries), ("/entries/{index}", routes.entry, WholeEntry),
        ("/consistency", routes.consistency, Consistency),
        ("/coverage", routes.coverage, Standings), ("/gaps", routes.gaps, Standings),
        ("/controls/{framework}/{control}", routes.control, Standings),
        ("/trail/{run_id}", routes.trail, Trail), ("/exports", routes.all_exports, list[ExportOf]),
        ("/exports/{export_id}", routes.export, ExportOf),
    ):
        app.add_api_route(path, endpoint, methods=["GET"], response_model=model,
                          responses=_MISSING)
    files: Sequence[tuple[str, Callable[..., Response], str]] = (
        ("/entries/{index}/proof", routes.proof, "text/plain"),
        ("/checkpoint", routes.checkpoint, "text/plain"),
        ("/tile/entries/{path:path}", routes.tile_of_entries, "application/octet-stream"),
        ("/tile/{level}/{path:path}", routes.tile, "application/octet-stream"),
        ("/artifacts/{sha256}", routes.artefact, "*/*"),
        ("/exports/{export_id}/bundle", routes.bundle, "application/zip"),
    )
    for path, give, media_type in files:
        told: dict[int | str, dict[str, Any]] = {
            200: {"description": "as it is", "content": {media_type: {}}}}
        app.add_api_route(path, give, methods=["GET"], response_class=Response,
                          responses=told | _MISSING)
    app.add_api_route("/exports", routes.ask, methods=["POST"], status_code=202,
                      response_model=ExportOf)
    app.add_api_route("/openapi.json", app.openapi, methods=["GET"], include_in_schema=False)
    app.add_exception_handler(HoldfastError, _refuse)
    app.add_exception_handler(RequestValidationError, _correct)
    return app


def _remembered(check: Callable[..., Any]) -> Callable[..., None]:
    def remember(request: Request, visitor: Annotated[Visitor, Depends(check)]) -> None:
        request.state.visitor = visitor

    return remember


def _refuse(_: Request, error: Exception) -> Response:
    """Say what is wrong: with the question, or with the evidence."""
    status = 503 if isinstance(error, EvidenceError) else 400
    return JSONResponse({"detail": str(error)}, status, dict(_HEADERS))


def _correct(_: Request, error: Exception) -> Response:
    """Say what makes no sense, not what was sent: that may be what cannot be written back."""
    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    told = [{"type": w["type"], "loc": list(w["loc"]), "msg": w["msg"]} for w in wrong]
    return Response(json.dumps({"detail": told}), 422, dict(_HEADERS), "application/json")


@dataclass(frozen=True)
class _Routes:
    """The end points; FastAPI calls them in threads, as they read the stores."""

    ports: Callable[[], Ports]

    def entries(self, request: Request, sought: Annotated[Sought, Query()]) -> dict[str, Any]:
        """Find records by run, suite, kind, control, service, verdict and period."""
        found = self.ports().shown.records(Wanted(
            self._suites(request), sought.run_id, sought.suite, sought.kind, sought.service,
            sought.control, sought.verdict, moment(sought.since),
            moment(sought.until, is_end=True), sought.cursor, sought.limit + 1))
        page = found[:sought.limit]
        after = page[-1].index if len(found) > sought.limit else None
        return {"entries": [retrieve.brief(r) for r in page], "cursor": after}

    def entry(self, request: Request, index: _Index) -> dict[str, Any]:
        """Read one record: what it says, and the signed bytes."""
        found = retrieve.record_at(self.ports(), index, self._suites(request))
        if found is None:
            raise HTTPException(404, f"there is no record {index} that you may see")
        return retrieve.told(found)

    def proof(self, index: _Index) -> Response:
        """Prove that a record is in the log: C2SP tlog-proof."""
        log = self.ports().log
        if index >= _size_of(log.head()[0]):
            raise HTTPException(404, f"the log has no record {index}")
        return _text(log.proof(index), "")

    def artefact(
        self, request: Request, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
    ) -> Response:
        """Fetch a file of a run by its digest."""
        found = retrieve.file_by_digest(self.ports(), sha256, self._suites(request))
        if found is None or not found[1].exists():
            raise HTTPException(404, "there is no such file that you may see")
        kept, path = found
        return FileResponse(path, media_type=kept.media_type, filename=kept.name,
                            headers=dict(_HEADERS))

    def checkpoint(self) -> Response:
        """The newest head of the log: a C2SP signed note."""
        note, _ = self.ports().log.head()
        return _text(note, "the log is empty")

    def tile(self, level: Annotated[int, Path(ge=0, le=63)], path: str) -> Response:
        """Fetch a tile of the log's tree: C2SP tlog-tiles."""
        number, width = _tile_place(path)
        hashes = self.ports().log.tile(level, number)[:width * 32]
        if len(hashes) != width * 32:
            raise HTTPException(404, "there is no such tile")
        return Response(hashes, media_type="application/octet-stream", headers=dict(_HEADERS))

    def tile_of_entries(self, request: Request, path: str) -> Response:
        """Fetch the records of a tile, each behind its length: C2SP tlog-tiles."""
        self._expect_all(request)
        number, width = _tile_place(path)
        first = number * WIDTH
        found = self.ports().shown.records(Wanted(
            self._suites(request), after=first - 1, limit=width))
        if [record.index for record in found] != list(range(first, first + width)):
            raise HTTPException(404, "there is no such tile")
        content = bundled([record.envelope for record in found])
        return Response(content, media_type="application/octet-stream", headers=dict(_HEADERS))

    def consistency(
        self, first: Annotated[int, Query(alias="from", ge=0, le=2**31 - 1)],
        second: Annotated[int, Query(alias="to", ge=0, le=2**31 - 1)],
    ) -> dict[str, Any]:
        """Prove that the log of `to` records begins with that of `from`."""
        log = self.ports().log
        if not first <= second <= _size_of(log.head()[0]):
            raise HTTPException(404, f"the log was never so long: {first} to {second}")
        hashes = [part.hex() for part in log.consistency(first, second)]
        return {"first": first, "second": second, "hashes": hashes}

    def coverage(
        self, request: Request, framework: _Framework,
        days: Annotated[int, Query(alias="max_age_days", ge=1, le=3650)] = 365,
        service: _Text = "",
    ) -> dict[str, Any]:
        """How every control of a framework stands, service by service."""
        self._expect_all(request)
        found = standings(self.ports(), framework, days, service)
        return _standings(framework, days, found)

    def gaps(
        self, request: Request, framework: _Framework, days: _Days = 365, service: _Text = "",
    ) -> dict[str, Any]:
        """What somebody must look after, the gravest first."""
        self._expect_all(request)
        found = open_gaps(standings(self.ports(), framework, days, service))
        return _standings(framework, days, found)

    def control(
        self, request: Request, framework: str, control: str, days: _Days = 365
    ) -> dict[str, Any]:
        """How one control stands."""
        self._expect_all(request)
        name = f"{framework}:{control}".lower()
        known = catalogue()
        if name not in known:
            raise HTTPException(404, f"unknown control '{name}': {nearest(name, known)}")
        every = standings(self.ports(), known[name].framework, days)
        return _standings(framework, days, [s for s in every if s.control.name == name])

    def trail(self, request: Request, run_id: str) -> dict[str, Any]:
        """The whole trail of a run: records, proofs, files, and what a check finds."""
        suite = retrieve.suite_of_run(self.ports(), run_id)
        if not run_id or suite not in self._suites(request):
            raise HTTPException(404, "there is no such run that you may see")
        return retrieve.trail(self.ports(), run_id)

    def all_exports(self, request: Request) -> list[dict[str, Any]]:
        """All exports, the latest first."""
        self._expect_all(request)
        return [asdict(e) for e in exports.every(self.ports())]

    def export(self, request: Request, export_id: str) -> dict[str, Any]:
        """How an export stands."""
        self._expect_all(request)
        return asdict(self._export(export_id))

    def bundle(self, request: Request, export_id: str) -> Response:
        """Fetch the bundle of an export that is done."""
        self._expect_all(request)
        found = self._export(export_id)
        if found.state != "done":
            raise HTTPException(409, f"it is {found.state}: {found.detail}")
        return FileResponse(
            exports.bundle_of(self.ports(), found.id), media_type="application/zip",
            filename=f"evidence-{found.id}.zip", headers=dict(_HEADERS))

    def ask(self, request: Request, asked: Asked, later: BackgroundTasks) -> dict[str, Any]:
        """Ask for an export; it is made while you do something else."""
        if not is_same_origin(request.headers) and not has_own_credentials(request.headers):
            raise HTTPException(403, "this was asked by a page of another origin")
        visitor = self._expect_all(request)
        wish = wish_of(asked)
        made = exports.ask(self.ports(), wish, visitor.name)
        later.add_task(exports.carry_out, self.ports(), made, wish)
        return asdict(made)

    def _export(self, export_id: str) -> exports.Export:
        found = exports.found(self.ports(), export_id)
        if found is None:
            raise HTTPException(404, "there is no such export")
        return found

    def _suites(self, request: Request) -> tuple[str, ...]:
        """The suites that the visitor may see."""
        return tuple(sorted(visitor_of(request).readable(self.ports().shown.suites())))

    def _expect_all(self, request: Request) -> Visitor:
        """Refuse who may not see every suite."""
        visitor = visitor_of(request)
        if not sees_all(self.ports(), visitor):
            raise HTTPException(403, "it counts every suite, and you may not see all of them")
        return visitor


def sees_all(ports: Ports, visitor: Visitor) -> bool:
    """Whether somebody may see every suite: bundles and controls leave none out."""
    every = set(ports.shown.suites())
    return not every - set(visitor.readable(every))


def _text(content: str, otherwise: str) -> Response:
    if not content:
        raise HTTPException(404, otherwise)
    return PlainTextResponse(content, headers=dict(_HEADERS))


def moment(text: str, *, is_end: bool = False) -> str:
    """A time as records have it; empty for none."""
    if not text:
        return ""
    try:
        found = read_moment(text, is_end=is_end).astimezone(UTC)
    except (EvidenceError, OverflowError) as error:
        raise HTTPException(400, str(error)) from error
    return found.isoformat(timespec="milliseconds")


def wish_of(asked: Asked) -> Wish:
    """What is asked for, read; 400 for a period that is none."""
    try:
        since, until = (
            read_moment(text, is_end=is_end) if text else None
            for text, is_end in ((asked.since, False), (asked.until, True)))
    except (EvidenceError, OverflowError) as error:
        raise HTTPException(400, str(error)) from error
    frameworks, services, suites = (
        tuple(sorted({*names})) for names in (asked.frameworks, asked.services, asked.suites))
    return Wish(since, until, frameworks, services, suites, asked.days)


def _tile_place(path: str) -> tuple[int, int]:
    """The number and the width in `x001/234` or `x001/234.p/7`."""
    match = re.fullmatch(r"((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", path)
    width = WIDTH if match is None or match[2] is None else int(match[2])
    if match is None or width > WIDTH:
        raise HTTPException(404, "there is no such tile")
    return int(match[1].replace("x", "").replace("/", "")), width


def _size_of(note: str) -> int:
    return read_checkpoint(note)[0].size if note else 0


def _standings(framework: str, days: int, found: Sequence[Standing]) -> dict[str, Any]:
    told = [StandingOf(
        control=s.control.name, title=s.control.title, service=s.service, state=s.state.value,
        reason=s.reason, records=list(s.records), due=s.due.isoformat() if s.due else None,
    ) for s in found]
    return {"framework": framework, "days": days, "disclaimer": DISCLAIMER, "standings": told}
