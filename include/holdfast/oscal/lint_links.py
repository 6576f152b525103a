"""Whether what a document points to is there."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from holdfast.oscal.sheet import IMPORTS, Defect, Part, Path, Sheet
from holdfast.oscal.words import NO_CONTROL

_WITHIN = {
    "observation-uuid": ("observations", "NO_OBSERVATION"), "risk-uuid": ("risks", "NO_RISK"),
    "finding-uuid": ("findings", "NO_FINDING"), "party-uuid": ("parties", "NO_PARTY"),
}
"""What must be in the document itself."""
_BEYOND = {
    "activity-uuid": ("activities", "NO_ACTIVITY"), "task-uuid": ("tasks", "NO_TASK"),
    "component-uuid": ("components", "NO_COMPONENT"),
}
"""What may be in the document that it rests on."""
_SUBJECTS = {
    "component": "components", "inventory-item": "inventory-items", "location": "locations",
    "party": "parties", "user": "users", "resource": "resources",
}
_ACTORS = {"tool": "components", "assessment-platform": "assessment-platforms",
           "party": "parties"}


def duplicates(sheet: Sheet) -> Iterator[Defect]:
    """Find every UUID that names two things."""
    seen: set[object] = set()
    for path, part in sheet.parts:
        uuid = part.get("uuid")
        if uuid is None:
            continue
        if uuid in seen:
            yield sheet.defect("DUPLICATE_UUID", path, f"{uuid} names something else already")
        seen.add(uuid)


def links(sheet: Sheet, controls: Collection[str]) -> Iterator[Defect]:
    """Find every link to what is not there."""
    for path, part in sheet.parts:
        for key, value in part.items():
            if key in _WITHIN:
                kind, code = _WITHIN[key]
                if value not in sheet.defined.get(kind, ()):
                    yield sheet.defect(code, path, f"no such {kind}: {value}")
            elif key in _BEYOND:
                yield from _beyond(sheet, path, *_BEYOND[key], value)
            elif key in _CHECKS:
                yield from _CHECKS[key](sheet, path, part)
            elif key == "control-id" and value not in controls and value != NO_CONTROL:
                yield sheet.defect("UNKNOWN_CONTROL", path, f"the catalogue has no '{value}'")


def imports(
    sheet: Sheet, documents: Mapping[str, bytes], sheets: Mapping[str, Sheet]
) -> Iterator[Defect]:
    """Find out what a document rests on, and whether that is what it was."""
    key = IMPORTS[sheet.kind]
    href = str(sheet.root.get(key, {}).get("href", ""))
    resource = sheet.defined.get("resources", {}).get(href[1:]) if href[:1] == "#" else None
    if not href or (href[:1] == "#" and resource is None):
        yield sheet.defect("NO_IMPORT", ((), key), f"it rests on nothing: {href or 'no href'}")
        return
    links: Sequence[Part] = ({"href": href},) if resource is None else resource.get("rlinks", ())
    for link in links:
        name = str(link.get("href"))
        sheet.imports = sheets.get(name, sheet.imports)
        hashes = {h.get("value") for h in link.get("hashes", ()) if h["algorithm"] == "SHA-256"}
        if name in documents and hashes - {hashlib.sha256(documents[name]).hexdigest()}:
            yield sheet.defect("IMPORT_CHANGED", ((), key), f"{name} is not what it was")
    if sheet.kind == "assessment-results" and sheet.imports is None:
        yield sheet.defect("NO_IMPORT", ((), key), f"the plan is not at hand: {href}")


def _beyond(sheet: Sheet, path: Path, kind: str, code: str, uuid: object) -> Iterator[Defect]:
    if not sheet.knows(kind, uuid):
        yield sheet.defect(code, path, f"no such {kind}: {uuid}")


def _subject(sheet: Sheet, path: Path, part: Part) -> Iterator[Defect]:
    kind = _SUBJECTS.get(str(part.get("type")), "components")
    return _beyond(sheet, path, kind, "NO_SUBJECT", part["subject-uuid"])


def _actor(sheet: Sheet, path: Path, part: Part) -> Iterator[Defect]:
    kind = _ACTORS.get(str(part.get("type")), "components")
    return _beyond(sheet, path, kind, "NO_ACTOR", part["actor-uuid"])


def _parties(sheet: Sheet, path: Path, part: Part) -> Iterator[Defect]:
    for uuid in part["party-uuids"]:
        if uuid not in sheet.defined.get("parties", ()):
            yield sheet.defect("NO_PARTY", path, f"no such party: {uuid}")


def _role(sheet: Sheet, path: Path, part: Part) -> Iterator[Defect]:
    if part["role-id"] not in sheet.roles:
        yield sheet.defect("NO_ROLE", path, f"no such role: {part['role-id']}")


def _resource(sheet: Sheet, path: Path, part: Part) -> Iterator[Defect]:
    href = str(part["href"])
    if href.startswith("#"):
        yield from _beyond(sheet, path, "resources", "NO_RESOURCE", href[1:])


_CHECKS = {"subject-uuid": _subject, "actor-uuid": _actor, "party-uuids": _parties,
           "role-id": _role, "href": _resource}
