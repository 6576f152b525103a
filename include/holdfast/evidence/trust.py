"""What whoever checks believes: logs, witnesses, keys, catalogues. Pure.

It comes to them by another way than the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.evidence.keys import key_id
from holdfast.evidence.note import ED25519, verifier
from holdfast.evidence.policy import Policy, read_policy
from holdfast.evidence.roles import RoleKey, Roles, read_roles
from holdfast.model.record import Role

POLICY, ROLES = "policy", "roles.json"
"""The files of a trust folder."""


@dataclass(frozen=True, slots=True)
class Trust:
    """`is_given` is false where the evidence itself has named the keys: nobody vouches for them."""

    policy: Policy
    roles: Roles
    is_given: bool = True


def read_trust(policy: bytes, roles: bytes) -> Trust:
    """Read the two files of a trust folder; EvidenceError if one is none."""
    return Trust(read_policy(policy), read_roles(roles))


def origin_of(log_key: Ed25519PublicKey) -> str:
    """Name a new log, after its key."""
    return f"holdfast/{key_id(log_key)[:16]}"


def trust_of(
    origin: str, keys: Mapping[Role, Ed25519PublicKey], catalogues: Mapping[str, str],
    retired: Sequence[RoleKey] = (),
) -> Trust:
    """Believe a log's own keys, and those that they have taken the place of."""
    log = verifier(origin, keys[Role.LOG], ED25519)
    own = [RoleKey(role, key) for role, key in sorted(keys.items()) if role is not Role.LOG]
    own += retired
    return Trust(
        Policy({origin: log}), Roles(own, {n: [d] for n, d in catalogues.items()}), is_given=False)


def policy_text(policy: Policy) -> bytes:
    """Write a policy; where it asks for no witness, how to ask for some."""
    lines = [
        "# Whose log, which witnesses, and how many of them it takes: c2sp.org/tlog-policy",
        *(f"log {key}" for key in policy.logs.values()),
        *(f"witness {w.name} {w.key} {w.url}".rstrip() for w in policy.witnesses.values()),
        *(f"group {name} {count} {' '.join(members)}"
          for name, (count, members) in policy.groups.items()),
        *(() if policy.witnesses else ("# witness NAME VKEY URL", "# quorum NAME")),
        f"quorum {policy.quorum}",
    ]
    return ("\n".join(lines) + "\n").encode(errors="surrogateescape")
