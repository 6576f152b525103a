"""Whether what a document says can be true: times, methods, verdicts."""

import re
from collections.abc import Collection, Iterator
from datetime import datetime

from holdfast.model.verdict import Verdict
from holdfast.oscal.sheet import Defect, Part, Sheet
from holdfast.oscal.words import own

_METHODS = frozenset({"EXAMINE", "INTERVIEW", "TEST", "UNKNOWN"})
_TIMES = frozenset({"start", "end", "collected", "expires"})
_SHA_256 = re.compile(r"[0-9a-f]{64}")


def times(sheet: Sheet) -> Iterator[Defect]:
    """Find ends before beginnings, and documents older than what they tell."""
    newest, modified = None, _at(sheet.root.get("metadata", {}), "last-modified")
    for path, part in sheet.parts:
        if _TIMES.isdisjoint(part):
            continue
        start, end = _at(part, "start"), _at(part, "end")
        collected, expires = _at(part, "collected"), _at(part, "expires")
        if start and end and end < start:
            yield sheet.defect("END_BEFORE_START", path, f"{part['end']} is before its start")
        if collected and expires and expires < collected:
            text = f"{part['expires']} is before {part['collected']}"
            yield sheet.defect("EXPIRED_WHEN_COLLECTED", path, text)
        newest = max((at for at in (newest, end, collected) if at), default=None)
    if newest and modified and modified < newest:
        text = f"it tells of {newest.isoformat()}"
        yield sheet.defect("OLDER_THAN_CONTENT", (((), "metadata"), "last-modified"), text)


def observations(sheet: Sheet) -> Iterator[Defect]:
    """Find methods that OSCAL does not know."""
    for path, part in sheet.lists.get("observations", ()):
        for method in part.get("methods", ()):
            if method not in _METHODS:
                yield sheet.defect("UNKNOWN_METHOD", path, f"'{method}' is no method")


def collected(sheet: Sheet) -> Iterator[Defect]:
    """Find observations that were not made while the run went on."""
    for path, result in sheet.lists.get("results", ()):
        start, end = _at(result, "start"), _at(result, "end")
        for number, part in enumerate(result.get("observations", ())):
            at = _at(part, "collected")
            if at and ((start and at < start) or (end and at > end)):
                where = ((path, "observations"), number)
                text = f"{part['collected']} is not within the result's time"
                yield sheet.defect("COLLECTED_OUTSIDE", where, text)


def findings(sheet: Sheet, controls: Collection[str]) -> Iterator[Defect]:
    """Find verdicts that do not follow from what was seen."""
    for path, part in sheet.lists.get("findings", ()):
        target = part.get("target", {})
        if target.get("target-id") not in controls:
            text = f"the catalogue has no '{target.get('target-id')}'"
            yield sheet.defect("UNKNOWN_CONTROL", path, text)
        for code, text in _verdict(sheet, part, target.get("status", {})):
            yield sheet.defect(code, path, text)


def selected(sheet: Sheet) -> Iterator[Defect]:
    """Find findings about controls that the result does not say it looked at."""
    for path, result in sheet.lists.get("results", ()):
        selections = result.get("reviewed-controls", {}).get("control-selections", ())
        if any("include-all" in one for one in selections):
            continue
        chosen = {c.get("control-id") for s in selections for c in s.get("include-controls", ())}
        for number, part in enumerate(result.get("findings", ())):
            name = part.get("target", {}).get("target-id")
            if name not in chosen:
                where = ((path, "findings"), number)
                yield sheet.defect("NOT_REVIEWED", where, f"'{name}' is not among what was")


def risks(sheet: Sheet) -> Iterator[Defect]:
    """Find risks that are closed without anybody having closed them."""
    for path, part in sheet.lists.get("risks", ()):
        entries = part.get("risk-log", {}).get("entries", ())
        is_closed = any(one.get("status-change") == "closed" for one in entries)
        if part.get("status") == "closed" and not is_closed:
            yield sheet.defect("CLOSED_WITHOUT_ENTRY", path, "nothing in its log closes it")


def items(sheet: Sheet) -> Iterator[Defect]:
    """Find items of a plan of action that nothing is the reason for."""
    for path, part in sheet.lists.get("poam-items", ()):
        if not any(part.get(f"related-{k}") for k in ("findings", "observations", "risks")):
            yield sheet.defect("UNFOUNDED", path, "it rests on nothing")


def hashes(sheet: Sheet) -> Iterator[Defect]:
    """Find files whose content nothing tells."""
    for path, part in sheet.lists.get("rlinks", ()):
        told = [one.get("value") for one in part.get("hashes", ())
                if one.get("algorithm") == "SHA-256"]
        if not told or not all(_SHA_256.fullmatch(str(one)) for one in told):
            yield sheet.defect("NO_HASH", path, f"no SHA-256 for {part.get('href')}")


def _verdict(sheet: Sheet, part: Part, status: Part) -> Iterator[tuple[str, str]]:
    known = sheet.defined.get("observations", {})
    linked = [one.get("observation-uuid") for one in part.get("related-observations", ())]
    seen = {own(known[uuid], "verdict") for uuid in linked if uuid in known}
    state, reason = status.get("state"), status.get("reason")
    if not linked:
        yield "UNFOUNDED", "it rests on no observation"
    if state == "satisfied" and seen & {Verdict.BROKEN.name, Verdict.UNKNOWN.name}:
        yield "SATISFIED_BUT_FAILED", "satisfied, though an observation did not hold"
    if reason == "fail" and seen == {Verdict.HELD.name}:
        yield "FAILED_BUT_HELD", "failed, though every observation held"
    if reason == "fail" and not part.get("related-risks"):
        yield "FAILED_WITHOUT_RISK", "failed, and no risk is named"


def _at(part: Part, name: str) -> datetime | None:
    """A time that can be compared; what is none, the schema finds."""
    text = part.get(name)
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
