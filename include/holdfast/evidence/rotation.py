"""One key takes another's place: how the log tells it, and which former keys are believed. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import is_signed, read, statement_of
from holdfast.evidence.keys import key_id
from holdfast.evidence.roles import KEY_EVENT, RoleKey, keys_under, told
from holdfast.model.record import Role, Statement

_SLACK = timedelta(minutes=5)
"""How far the dates of two machines may be apart."""


def retired_at(role: Role, key: Ed25519PublicKey, moment: datetime) -> RoleKey:
    """The key as it is believed from then on: for records of before."""
    return RoleKey(role, key, until=moment + _SLACK)


def rotation(old: RoleKey, new: Ed25519PublicKey) -> Statement:
    """Tell the log, by the key that is still the runner's, which key takes whose place."""
    return Statement(KEY_EVENT, {}, {
        "event": "rotated", "keys": [told(RoleKey(old.role, new))], "retired": [told(old)]})


def retired(events: Sequence[bytes], runner: Ed25519PublicKey) -> Sequence[RoleKey]:
    """The former keys that this runner's key vouches for, in its latest announcement.

    `events` are the log's envelopes of key events. Another key's word for a former one is none:
    whoever can write to the database could add it.
    """
    for content in reversed(events):
        try:
            envelope = read(content)
            if envelope.key_id == key_id(runner) and is_signed(envelope, runner):
                return keys_under(statement_of(envelope), "retired")
        except EvidenceError:
            continue  # damaged: verify tells
    return []
