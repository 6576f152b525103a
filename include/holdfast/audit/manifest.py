"""The list of what is in a bundle, signed by the exporter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.audit.request import Request, moment_of, read_request
from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import Envelope, read, statement_of
from holdfast.evidence.trust import Trust, policy_text, read_trust
from holdfast.model.record import PREDICATES, Statement

EXPORT = f"{PREDICATES}export/v1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the exporter says: which head, from which record on, what was asked for, counts.

    `made_by` is the version of Holdfast that made the report; `files` are SHA-256 in hex by name;
    `own` is the trust that the bundle claims for itself.
    """

    origin: str
    size: int
    root: str
    at: datetime
    first: int
    made_by: str
    request: Request
    population: int
    selected: int
    catalogues: Mapping[str, str]
    excluded: Mapping[str, str]
    own: Trust
    files: Mapping[str, str]

    def statement(self) -> Statement:
        """What is signed."""
        return Statement(EXPORT, self.files, {
            "origin": self.origin, "size": self.size, "root": self.root,
            "at": self.at.isoformat(), "first": self.first, "made_by": self.made_by,
            "request": self.request.as_json(),
            "population": self.population, "selected": self.selected,
            "catalogues": dict(self.catalogues), "excluded": dict(self.excluded),
            "trust": {
                "policy": policy_text(self.own.policy).decode(),
                "roles": self.own.roles.as_json().decode(),
            },
        })


def read_manifest(content: bytes) -> tuple[Manifest, Envelope]:
    """Read a manifest and its envelope; EvidenceError if it is none."""
    envelope = read(content)
    statement = statement_of(envelope)
    told = statement.predicate
    try:
        if statement.predicate_type != EXPORT:
            raise ValueError(f"it is a {statement.predicate_type}")
        trust = told["trust"]
        if not isinstance(trust, Mapping):
            raise TypeError("trust")
        own = read_trust(str(trust["policy"]).encode(), str(trust["roles"]).encode())
        manifest = Manifest(
            origin=_text(told["origin"]), size=_number(told["size"]), root=_text(told["root"]),
            at=moment_of(_text(told["at"])), first=_number(told["first"]),
            made_by=_text(told["made_by"]),
            request=read_request(told["request"]), population=_number(told["population"]),
            selected=_number(told["selected"]), catalogues=_words(told["catalogues"]),
            excluded=_words(told["excluded"]), files=statement.subjects,
            own=Trust(own.policy, own.roles, is_given=False),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise EvidenceError(f"not the manifest of a bundle: {error!r}") from error
    return manifest, envelope


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is no number")
    return value


def _words(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no list of words")
    return {str(k): str(v) for k, v in value.items()}

