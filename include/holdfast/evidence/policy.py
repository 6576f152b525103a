"""Which logs and witnesses are believed, and how many of them it takes (C2SP tlog-policy). Pure."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from holdfast.errors import EvidenceError
from holdfast.evidence.note import COSIGNATURE, ED25519, Verifier, read_verifier

NONE = "none"
_DEEPEST = 64
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness by its name in the policy; `url` is empty if nobody asks it."""

    name: str
    key: Verifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs by origin, witnesses by name, groups as (how many, members), the group that decides."""

    logs: Mapping[str, Verifier]
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, Sequence[str]]] = field(default_factory=dict)
    quorum: str = NONE

    def is_met(self, cosigners: Set[str]) -> bool:
        """Say whether these witnesses are enough."""
        return self.quorum == NONE or self._has(self.quorum, cosigners)

    def wanted(self) -> str:
        """What is enough, to be read: `2 of w1, w2, w3`."""
        count, members = self.groups.get(self.quorum, (1, (self.quorum,)))
        return f"{count} of {', '.join(members)}"

    def _has(self, name: str, cosigners: Set[str]) -> bool:
        if name in self.witnesses:
            return name in cosigners
        count, members = self.groups[name]
        return sum(self._has(member, cosigners) for member in members) >= count


def read_policy(content: bytes) -> Policy:
    """Read a policy file; EvidenceError with the line that is wrong."""
    if not _ALLOWED.fullmatch(content):
        raise EvidenceError("policy: a control character is in it")
    reader = _Reader()
    for number, line in enumerate(content.decode(errors="surrogateescape").split("\n"), start=1):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.take(words)
        except EvidenceError as error:
            raise EvidenceError(f"policy, line {number}: {error}") from error
    if reader.quorum is None:
        raise EvidenceError("policy: no line says 'quorum'; 'quorum none' asks for no witness")
    return Policy(reader.logs, reader.witnesses, reader.groups, reader.quorum)


class _Reader:
    """Takes line after line; what a line names must be above it."""

    def __init__(self) -> None:
        self.logs: dict[str, Verifier] = {}
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, tuple[int, Sequence[str]]] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()
        self._depths: dict[str, int] = {}
        self._keys: set[bytes] = set()

    def take(self, words: Sequence[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                found = self._key(key, ED25519)
                self.logs[found.name] = found
            case ["witness", name, key, *url] if len(url) <= 1:
                self._new(name)
                self.witnesses[name] = Witness(name, self._key(key, COSIGNATURE), *url)
            case ["group", name, count, *members] if members:
                self._new(name)
                self._group(name, count, members)
            case ["quorum", name] if self.quorum is None:
                if name != NONE:
                    self._expect_known(name)
                self.quorum = name
            case _:
                raise EvidenceError(f"not a line of a policy: {' '.join(words)[:80]!r}")

    def _group(self, name: str, count: str, members: Sequence[str]) -> None:
        for member in members:
            self._expect_known(member)
            if member in self._members:
                raise EvidenceError(f"'{member}' is a member twice")
            self._members.add(member)
        self._depths[name] = 1 + max(self._depths.get(member, 0) for member in members)
        if self._depths[name] > _DEEPEST:
            raise EvidenceError(f"'{name}' is a group of groups, {_DEEPEST} deep")
        needed = {"all": str(len(members)), "any": "1"}.get(count, count)
        if not re.fullmatch(r"[1-9][0-9]{0,3}", needed) or int(needed) > len(members):
            raise EvidenceError(f"'{count}' of {len(members)} members cannot be had")
        self.groups[name] = (int(needed), tuple(members))

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise EvidenceError(f"'{name}' is there already")

    def _expect_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise EvidenceError(f"no line above names '{name}'")

    def _key(self, text: str, kind: int) -> Verifier:
        found = read_verifier(text)
        if found.kind != kind:
            wanted = "a log" if kind == ED25519 else "a witness"
            raise EvidenceError(f"{found.name}: a key of this type is not {wanted}'s")
        if found.public in self._keys:
            raise EvidenceError(f"the key of {found.name} is there twice")
        self._keys.add(found.public)
        return found
