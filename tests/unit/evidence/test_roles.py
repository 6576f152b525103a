"""Whose key may sign what (E1)."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import EvidenceError
from holdfast.evidence.roles import (
    APPROVAL,
    KEY_EVENT,
    RoleKey,
    Roles,
    announced,
    announcement,
    read_roles,
    role_of,
)
from holdfast.model.record import PREDICATES, Role, Statement

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)).public_key()
FROM, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
LEAD = RoleKey(Role.APPROVER, KEY, "lead", FROM, UNTIL)


def test_roles_read_back():
    roles = Roles([LEAD, RoleKey(Role.RUNNER, OTHER)], {"catalogue": ["sha256:1"]})
    again = read_roles(roles.as_json())
    assert roles.as_json() == again.as_json()
    (key,) = again.of(Role.APPROVER).values()
    assert ("lead", FROM, UNTIL, LEAD.id) == (key.identity, key.since, key.until, key.id)


@pytest.mark.parametrize(("moment", "is_valid"), [
    (datetime(2025, 12, 31, tzinfo=UTC), False), (FROM, True), (UNTIL, True),
    (datetime(2027, 1, 1, tzinfo=UTC), False)])
def test_a_key_is_valid_from_then_until_then(moment, is_valid):
    assert is_valid == LEAD.is_valid_at(moment)
    assert RoleKey(Role.RUNNER, KEY).is_valid_at(moment)


@pytest.mark.parametrize("content", [
    b"", b"[]", b"{}", b'{"version": 2, "keys": []}', b'{"version": 1}',
    b'{"version": 1, "keys": [{"role": "king"}]}', b'{"version": 1, "keys": [7]}',
    b'{"version": 1, "keys": [], "catalogues": []}', b"\xff", b"[" * 100_000])
def test_what_are_no_roles_is_refused(content):
    with pytest.raises(EvidenceError):
        read_roles(content)


def test_a_key_under_another_name_is_refused():
    told = json.loads(Roles([LEAD]).as_json())
    told["keys"][0]["key_id"] = "0" * 64
    with pytest.raises(EvidenceError, match="the key is not 0000000000000000"):
        read_roles(json.dumps(told).encode())


def test_an_approval_is_the_approvers_and_all_else_the_runners():
    assert Role.APPROVER is role_of(APPROVAL)
    assert Role.RUNNER is role_of(f"{PREDICATES}result/v1")


def test_a_log_names_its_keys():
    told = announcement({Role.RUNNER: KEY, Role.LOG: KEY})
    other = Statement("x", {}, {})
    assert [Role.LOG, Role.RUNNER] == [key.role for key in announced([other, told, told])]


@pytest.mark.parametrize("keys", [[{}], [{"role": "log", "public": "!", "key_id": ""}], [7]])
def test_what_announces_no_keys_is_refused(keys):
    with pytest.raises(EvidenceError, match="not an announcement"):
        announced([Statement(KEY_EVENT, {}, {"keys": keys})])
    assert [] == announced([Statement(KEY_EVENT, {}, {"keys": "none"})])


def test_one_key_does_not_sign_for_two():
    """Else whoever runs a suite approves it too, and the roles would not show it."""
    both = Roles([LEAD, RoleKey(Role.RUNNER, KEY)]).as_json()
    with pytest.raises(EvidenceError, match="there twice"):
        read_roles(both)


def test_a_key_that_is_valid_from_nobody_s_midnight_on_is_refused():
    told = json.loads(Roles([LEAD]).as_json())
    told["keys"][0]["from"] = "2026-01-01"
    with pytest.raises(EvidenceError, match="no time zone"):
        read_roles(json.dumps(told).encode())
