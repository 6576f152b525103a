"""Whose key may sign what, and when; and how a log announces its keys. Pure."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical
from holdfast.evidence.keys import key_id
from holdfast.model.record import PREDICATES, Role, Statement

APPROVAL, KEY_EVENT = f"{PREDICATES}approval/v1", f"{PREDICATES}key-event/v1"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class RoleKey:
    """A key, what it signs, whose it is if it is one person's, and from when until when."""

    role: Role
    public: Ed25519PublicKey
    identity: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def id(self) -> str:
        """The key's name in envelopes."""
        return key_id(self.public)

    def is_valid_at(self, moment: datetime) -> bool:
        """Say whether it may sign then."""
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment <= self.until)


@dataclass(frozen=True, slots=True)
class Roles:
    """The keys that are believed, and the catalogues of controls, by name and digest."""

    keys: Sequence[RoleKey]
    catalogues: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, role: Role) -> Mapping[str, RoleKey]:
        """The keys of a role by their ids."""
        return {key.id: key for key in self.keys if key.role is role}

    def as_json(self) -> bytes:
        """Write them as `roles.json`."""
        return canonical({
            "version": _VERSION,
            "keys": [told(key) for key in self.keys],
            "catalogues": {n: list(d) for n, d in self.catalogues.items()},
        })


def read_roles(content: bytes) -> Roles:
    """Read `roles.json`; EvidenceError if it is none."""
    try:
        told = json.loads(content)
        if told["version"] != _VERSION:
            raise EvidenceError(f"roles of version {told['version']!r}; {_VERSION} is known here")
        keys = [_read(key) for key in told["keys"]]
        catalogues = {str(n): [str(d) for d in digests]
                      for n, digests in told.get("catalogues", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EvidenceError(f"roles: {error!r}") from error
    if len({key.id for key in keys}) < len(keys):
        raise EvidenceError("roles: a key is there twice; one key does not sign for two")
    return Roles(keys, catalogues)


def role_of(predicate_type: str) -> Role:
    """Say whose key signs such a statement."""
    return Role.APPROVER if predicate_type == APPROVAL else Role.RUNNER


def announcement(
    keys: Mapping[Role, Ed25519PublicKey], retired: Sequence[RoleKey] = ()
) -> Statement:
    """Tell the log which keys sign from here on, and which did before."""
    own = [told(RoleKey(role, key)) for role, key in sorted(keys.items())]
    before = [told(key) for key in retired]
    return Statement(KEY_EVENT, {}, {"event": "announced", "keys": own, "retired": before})


def announced(statements: Iterable[Statement]) -> Sequence[RoleKey]:
    """Every key that the log itself names: nobody else vouches for them."""
    found: dict[tuple[Role, str], RoleKey] = {}
    for statement in statements:
        if statement.predicate_type != KEY_EVENT:
            continue
        found |= {(key.role, key.id): key for key in keys_under(statement, "keys")}
    return list(found.values())


def keys_under(statement: Statement, name: str) -> Sequence[RoleKey]:
    """The keys that a statement tells there; EvidenceError if it is something else."""
    found = statement.predicate.get(name)
    try:
        return [_read(key) for key in (found if isinstance(found, list) else [])]
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"not an announcement of keys: {error!r}") from error


def told(key: RoleKey) -> dict[str, object]:
    """Write a key as JSON has it."""
    times = {name: moment.isoformat() for name, moment in (
        ("from", key.since), ("until", key.until)) if moment is not None}
    who = {"identity": key.identity} if key.identity else {}
    public = base64.b64encode(key.public.public_bytes_raw()).decode()
    return {"role": key.role.value, "key_id": key.id, "public": public, **who, **times}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} says no time zone")
    return moment


def _read(told: Mapping[str, str]) -> RoleKey:
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["public"], validate=True))
    since, until = (_moment(told[name]) if name in told else None for name in ("from", "until"))
    found = RoleKey(Role(told["role"]), public, str(told.get("identity", "")), since, until)
    if found.id != told["key_id"]:
        raise ValueError(f"the key is not {str(told['key_id'])[:16]}")
    return found
