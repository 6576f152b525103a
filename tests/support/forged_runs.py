"""Forgeries of what a log says of runs and their approvals: see forgeries.py."""

from dataclasses import replace
from datetime import UTC, datetime

from holdfast.evidence.roles import RoleKey
from holdfast.model.record import Role
from support.bundles import (
    APPROVALS,
    KEYS,
    World,
    key_of,
    trust,
    world,
)


def case_13():
    """A record dated back, appended late; runner's and log's keys."""
    w = world()
    w.clock.passed -= 3600
    w.batch._boot_id = "another"
    w.run("shop--late")
    w.clock.passed += 3600
    return w.bundle().check(), "E_BACKDATED"


def approved_with(key, **by):
    w = World()
    w.batch._keys = {**KEYS, Role.APPROVER: key}
    w.run("shop--0", **by)
    return w


def case_14():
    """An approval by a key that nobody knows; insider."""
    return approved_with(key_of("nobody")).bundle().check(), "E_UNTRUSTED_SIGNER"


def case_15():
    """An approval signed with the runner's key: roles are kept apart."""
    return approved_with(KEYS[Role.RUNNER]).bundle().check(), "E_UNTRUSTED_SIGNER"


def personal(**key):
    """Trust in an approver's key that is the lead's own."""
    given = trust()
    own = RoleKey(Role.APPROVER, KEYS[Role.APPROVER].public_key(), "lead", **key)
    others = [k for k in given.roles.keys if k.role is not Role.APPROVER]
    return replace(given, roles=replace(given.roles, keys=[*others, own]))


def case_16():
    """Another person's name in an approval; the approver's own key."""
    w = World()
    w.run("shop--0", approved_by="director")
    return w.bundle().check(personal()), "E_APPROVER_IDENTITY"


def case_17():
    """Who triggered the run has approved it; insider."""
    w = World()
    w.run("shop--0", approved_by="sre")
    return w.bundle().check(), "E_SELF_APPROVAL"


def planned():
    """A log with the plan of a run that must be approved."""
    w = World()
    w.say("plan", "r", approval=APPROVALS, impact={"score": 60}, worst_case_ms=1)
    return w


def ran(w):
    """Start and result, exported and checked."""
    w.say("run-start", "r")
    w.result("r", "HELD")
    return w.bundle().check()


def case_18():
    """The approval is of another plan; insider."""
    w = planned()
    w.say("approval", "r", answer="approved", by="lead", why="", approved_by="",
          plan_digest="sha256:other")
    return ran(w), "E_APPROVAL_NOT_FOR_THIS_PLAN"


def case_19():
    """One approval for two runs; whoever may append."""
    w = planned()
    w.say("approval", "r", answer="approved", by="lead", why="", approved_by="", run_id="another")
    return ran(w), "E_APPROVAL_NOT_FOR_THIS_PLAN"


def case_20():
    """The approval was logged after the start; runner's key."""
    w = planned()
    w.say("run-start", "r")
    w.say("approval", "r", answer="approved", by="lead", why="", approved_by="")
    w.result("r", "HELD")
    return w.bundle().check(), "E_APPROVAL_MISSING_OR_LATE"


def case_21():
    """The approver's key had run out; insider."""
    until = datetime(2025, 12, 31, tzinfo=UTC)
    return world("HELD").bundle().check(personal(until=until)), "E_KEY_NOT_VALID_AT_TIME"


CASES = {n: globals()[f"case_{n}"] for n in range(13, 22)}
