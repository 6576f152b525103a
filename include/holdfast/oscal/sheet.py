"""A document taken apart for the lint: its parts with their places, what they define."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Part = Mapping[str, Any]
Path = tuple[Any, ...]
"""The path of the part around, and a key or number: written out only when something is wrong."""
IMPORTS = {"assessment-plan": "import-ssp", "assessment-results": "import-ap",
           "plan-of-action-and-milestones": "import-ssp"}
"""Documents that can be linted, and what each imports."""


@dataclass(frozen=True, slots=True)
class Defect:
    """What the schema does not see: a code, the place, and what is wrong in plain words."""

    code: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.text}"


@dataclass(slots=True)
class Sheet:
    """A document; `lists` are its parts by the list they stand in, `defined` those by UUID.

    `imports` is the document that it rests on; None if it is not at hand.
    """

    name: str
    kind: str
    root: Part
    parts: Sequence[tuple[Path, Part]]
    lists: Mapping[str, Sequence[tuple[Path, Part]]]
    defined: Mapping[str, Mapping[str, Part]]
    imports: "Sheet | None" = None
    roles: frozenset[str] = field(default_factory=frozenset)

    def defect(self, code: str, path: Path, text: str) -> Defect:
        """Say what is wrong where."""
        return Defect(f"OSCAL_{code}", f"{self.name}: {_written(path) or self.kind}", text)

    def knows(self, kind: str, uuid: object) -> bool:
        """Say whether this document, or the one it rests on, defines something."""
        here: Sheet | None = self
        while here is not None:
            if uuid in here.defined.get(kind, ()):
                return True
            here = here.imports
        return False


def read_sheet(name: str, content: bytes) -> Sheet | None:
    """Take a document apart; None if it is none that can be linted."""
    parts: list[tuple[Path, Part]] = []
    try:
        whole = json.loads(content)
        (kind,) = set(whole) & set(IMPORTS)
        root: Part = whole[kind]
        _walk((), root, parts)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    lists: dict[str, list[tuple[Path, Part]]] = defaultdict(list)
    for path, part in parts:
        if path and isinstance(path[1], int):
            lists[path[0][1]].append((path, part))
    defined = {
        key: {str(part["uuid"]): part for _, part in own if "uuid" in part}
        for key, own in lists.items()
    }
    roles = frozenset(str(part.get("id")) for _, part in lists.get("roles", ()))
    return Sheet(name, kind, root, parts, lists, defined, roles=roles)


def _walk(path: Path, part: Part, found: list[tuple[Path, Part]]) -> None:
    """Collect every part but properties, in the order of the document."""
    found.append((path, part))
    for key, value in part.items():
        if isinstance(value, dict):
            _walk((path, key), value, found)
        elif isinstance(value, list) and key != "props":
            around = (path, key)
            for number, inner in enumerate(value):
                if isinstance(inner, dict):
                    _walk((around, number), inner, found)


def _written(path: Path) -> str:
    steps: list[str] = []
    while path:
        path, step = path
        steps.append(str(step))
    return ".".join(reversed(steps))
