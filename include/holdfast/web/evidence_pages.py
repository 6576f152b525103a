"""What the pages of evidence and controls answer, once access has been checked."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import BackgroundTasks, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from holdfast.controls.coverage import gaps
from holdfast.controls.matrix import matrix
from holdfast.evidence.checkpoint import read_checkpoint, read_proof
from holdfast.evidence.head import check_head
from holdfast.evidence.merkle import leaf_hash, root_by_inclusion
from holdfast.evidence.policy import NONE
from holdfast.evidence.records import check_records
from holdfast.model.record import Record
from holdfast.model.retrieval import Wanted
from holdfast.model.verdict import Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps import exports, retrieve
from holdfast.steps.catalogues import catalogue
from holdfast.steps.coverage import standings
from holdfast.steps.evidence import own_trust
from holdfast.web import pages
from holdfast.web.access import Require, form_token
from holdfast.web.answers import Asked
from holdfast.web.evidence import DISCLAIMER, moment, sees_all, wish_of
from holdfast.web.plain import COMMON, expect_own_form, form_of, page, place_of, visitor_of

_KINDS = ("", "plan", "approval", "run-start", "result", "report", "key-event")
_FIELDS = ("kind", "verdict", "suite", "run_id", "control", "service", "from", "to")
_PAGE = 50
_DIGITS = 10  # of a record's number at most
_EXPORT = "export"


@dataclass(frozen=True)
class EvidencePages:
    """The end points; FastAPI calls those that read the stores in threads."""

    ports: Callable[[], Ports]
    require: Require

    def controls(self, request: Request) -> Response:
        """Controls by services, and the gaps: of all suites, so for who may see all."""
        ports, known = self.ports(), catalogue()
        if not sees_all(ports, visitor_of(request)):
            raise HTTPException(403, "controls count every suite, and you may not see all of them")
        frameworks = sorted({c.framework for c in known.values()})
        framework = request.query_params.get("framework", frameworks[0])
        days = request.query_params.get("days", "365")
        is_number = re.fullmatch(r"[0-9]{1,4}", days)
        if framework not in frameworks or not is_number or not 1 <= int(days) <= 3650:
            raise HTTPException(400, "choose a framework, and 1 to 3650 days")
        found = standings(ports, framework, int(days))
        return page(pages.page_of(
            "controls.html.j2", place=place_of(request), disclaimer=DISCLAIMER, days=days,
            frameworks=frameworks, framework=framework, matrix=matrix(found), gaps=gaps(found)))

    def search(self, request: Request) -> Response:
        """Find records, and start an export."""
        ports, visitor = self.ports(), visitor_of(request)
        suites = tuple(sorted(visitor.readable(ports.shown.suites())))
        asked = {name: request.query_params.get(name, "").strip()[:250] for name in _FIELDS}
        found, trouble = _found(ports, suites, asked, request.query_params.get("cursor", ""))
        rows = [retrieve.brief(record) for record in found[:_PAGE]]
        more = {**asked, "cursor": rows[-1]["index"]} if len(found) > _PAGE else {}
        note, at = ports.log.head()
        size = read_checkpoint(note)[0].size if note else 0
        may_export = sees_all(ports, visitor)
        now = ports.clock.now().timestamp()
        return page(pages.page_of(
            "evidence.html.j2", place=place_of(request), asked=asked, found=rows, trouble=trouble,
            kinds=_KINDS, verdicts=("", *Verdict.__members__), next=urlencode(more),
            head={"note": note, "at": at, "size": size}, may_export=may_export,
            exports=exports.every(ports)[:10] if may_export else [],
            token=form_token(self.require.secret(), visitor.name, _EXPORT, now),
        ), 400 if trouble else 200)

    def record(self, request: Request, index: int) -> Response:
        """One record: what it says, whether it is genuine, and the proof that it is in the log."""
        ports = self.ports()
        suites = tuple(visitor_of(request).readable(ports.shown.suites()))
        found = retrieve.record_at(ports, index, suites)
        if found is None:
            raise HTTPException(404, f"there is no record {index} that you may see")
        told, proof = retrieve.told(found), ports.log.proof(index)
        statement = json.dumps(told["predicate"], indent=2, ensure_ascii=False)
        return page(pages.page_of(
            "record.html.j2", place=place_of(request), record=told, statement=statement,
            proof=proof, checks=_checks(ports, found, proof)))

    async def ask(self, request: Request, later: BackgroundTasks) -> Response:
        """Start an export, and come back."""
        form = await form_of(request)
        ports, visitor = self.ports(), visitor_of(request)
        expect_own_form(self.require, request, ports.clock.now(), _EXPORT, form)
        if not await run_in_threadpool(sees_all, ports, visitor):
            raise HTTPException(403, "a bundle holds every record, and you may not see all suites")
        wish = wish_of(_asked(form))
        made = await run_in_threadpool(exports.ask, ports, wish, visitor.name)
        later.add_task(exports.carry_out, ports, made, wish)
        return RedirectResponse(f"{place_of(request).root}/evidence", 303, background=later)

    def bundle(self, request: Request, export_id: str) -> Response:
        """Fetch a bundle that is done."""
        ports = self.ports()
        if not sees_all(ports, visitor_of(request)):
            raise HTTPException(403, "a bundle holds every record, and you may not see all suites")
        found = exports.found(ports, export_id)
        if found is None or found.state != "done":
            raise HTTPException(404, "there is no such bundle")
        return FileResponse(
            exports.bundle_of(ports, found.id), media_type="application/zip",
            filename=f"evidence-{found.id}.zip", headers=COMMON | {"Cache-Control": "no-store"})


def _asked(form: Mapping[str, str]) -> Asked:
    try:
        return Asked(
            since=form.get("since", "").strip(), until=form.get("until", "").strip(),
            frameworks=form.get("frameworks", "").replace(",", " ").split())
    except ValidationError as error:
        told = "; ".join(str(e["loc"][0]) for e in error.errors())
        raise HTTPException(400, f"{told}: write dates as 2026-01-31") from error


def _found(
    ports: Ports, suites: tuple[str, ...], asked: Mapping[str, str], cursor: str
) -> tuple[Sequence[Record], str]:
    """Records that match, one more than a page; or what is wrong with the question."""
    verdict = asked["verdict"]
    try:
        if verdict and verdict not in Verdict.__members__:
            raise HTTPException(400, f"'{verdict}' is no verdict")
        after = int(cursor) if cursor.isdecimal() and len(cursor) <= _DIGITS else -1
        return ports.shown.records(Wanted(
            suites, asked["run_id"], asked["suite"], asked["kind"], asked["service"],
            asked["control"], verdict, moment(asked["from"]), moment(asked["to"], is_end=True),
            min(after, 2**31 - 1), _PAGE + 1)), ""
    except HTTPException as error:
        return [], str(error.detail)


def _checks(ports: Ports, record: Record, proof: str) -> Sequence[tuple[bool, str]]:
    """Whether the record is signed as it must be, and is in the tree whose head is signed."""
    trust = own_trust(ports)
    troubles = check_records([record], trust.roles, record.index).troubles
    told = read_proof(proof)
    head = check_head(str(told.checkpoint), replace(trust.policy, quorum=NONE), ports.clock.now())
    found = None if head.checkpoint is None else root_by_inclusion(
        leaf_hash(record.envelope), told.index, head.checkpoint.size, told.hashes)
    is_in = head.checkpoint is not None and found == head.checkpoint.root and not head.troubles
    size = 0 if head.checkpoint is None else head.checkpoint.size
    return [
        *((False, str(trouble)) for trouble in troubles),
        *([] if troubles else [(True, "signed by the key of its role")]),
        (is_in, f"{'in' if is_in else 'not in'} the log of {size} records whose head is signed"),
    ]
