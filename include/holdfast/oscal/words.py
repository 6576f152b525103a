"""How values are written in OSCAL: names, identifiers, text, times."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical
from holdfast.model.control import Control

VERSION = "1.2.1"
NS = "https://holdfast.dev/ns/oscal"
"""Properties that OSCAL has no name for are in this namespace."""
NO_CONTROL = "_no-control-named"
"""OSCAL wants a control to be selected; this one is none."""
METHOD = "TEST"
_ROOT = uuid5(NAMESPACE_URL, NS)
_NIST = "nist-800-53r5"
_MARKUP = re.compile(r"[\\`*\[\]<>{}~^&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_NOT_IN_TOKEN = re.compile(r"[^A-Za-z0-9.]+")

Json = dict[str, Any]
"""A part of a document."""


def uid(kind: str, *parts: str | int) -> str:
    """Name a thing by what it is: the same parts give the same UUID, everywhere."""
    return str(uuid5(_ROOT, canonical([kind, *parts]).decode()))


def control_id(name: str) -> str:
    """Write a control's name as a token.

    Those of NIST SP 800-53 are NIST's own; others bear their framework before them.
    """
    framework, _, own = name.partition(":")
    token = _NOT_IN_TOKEN.sub("-", own).strip("-")
    return token if framework == _NIST else f"{framework}_{token}"


def control_ids(controls: Iterable[Control]) -> Mapping[str, Control]:
    """Controls by their tokens."""
    return {control_id(control.name): control for control in controls}


def line(value: object) -> str:
    """Put a text into one line."""
    return " ".join(str(value).split())


def plain(value: object) -> str:
    """Put a text into one line that no reader takes for markup."""
    return _MARKUP.sub(lambda found: "\\" + found[0], line(value))


def props(**named: object) -> list[Json]:
    """Write properties of our own, in order; those without a value are left out."""
    return [
        {"name": name.replace("_", "-"), "ns": NS, "value": text}
        for name, value in named.items()
        if (text := line(str(value).lower() if isinstance(value, bool) else value))
    ]


def own(part: Mapping[str, Any], name: str) -> str:
    """Read a property of ours; empty if there is none."""
    for prop in part.get("props", ()):
        if prop.get("name") == name and prop.get("ns") == NS:
            return str(prop.get("value"))
    return ""


def moment(text: str) -> datetime:
    """Read a time of a record; EvidenceError if it is none, or says no zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise EvidenceError(f"not a time: {text!r}") from error
    if at.tzinfo is None:
        raise EvidenceError(f"a time without a zone: {text!r}")
    return at.astimezone(UTC)


def some(**lists: list[Json] | Json) -> Json:
    """Give those parts that hold something: OSCAL has no empty ones."""
    return {name.replace("_", "-"): one for name, one in lists.items() if one}
