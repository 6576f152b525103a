"""F6: a fault that follows another begins while that one is on, or not at all."""

import pytest

from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.safety.cascade import Turn, turn
from support.guard import a_lease


def first(lease_id="first", **changes):
    return a_lease(lease_id, experiment="first", **changes)


def revoked(reason):
    return Revocation(reason, "errors were 3%", "guard", "")


@pytest.mark.parametrize("state", [LeaseState.OPENED, LeaseState.ARMED, LeaseState.INJECTING])
def test_it_waits_for_one_that_is_yet_to_come(state):
    assert Turn() == turn("first", [first(state=state)])


def test_it_waits_for_one_that_is_not_armed_yet():
    assert Turn() == turn("first", [a_lease("other", experiment="other", state=LeaseState.ACTIVE)])


def test_its_turn_comes_when_the_other_is_on():
    assert Turn(has_come=True) == turn("first", [first(state=LeaseState.ACTIVE)])


@pytest.mark.parametrize(("changes", "never"), [
    ({"state": LeaseState.CLEAN, "ended": End.EXPIRED, "detail": "nothing was injected for 90 s"},
     "'first', which it follows, ended without having been on: nothing was injected for 90 s"),
    ({"state": LeaseState.CLEAN},
     "'first', which it follows, ended without having been on: the lease is clean"),
    ({"state": LeaseState.REVERTING, "injected_at": 5.0},
     "'first', which it follows, was over before it could begin"),
    ({"state": LeaseState.ACTIVE, "revoked": revoked(Reason.BREACH)},
     "'first', which it follows, was revoked: errors were 3%"),
])
def test_its_turn_never_comes_when_the_other_has_ended(changes, never):
    assert Turn(never=never) == turn("first", [first(**changes)])


def test_a_try_that_was_superseded_counts_for_nothing():
    old = first("old", state=LeaseState.CLEAN, revoked=revoked(Reason.SUPERSEDED))
    assert Turn() == turn("first", [old])
    assert Turn(has_come=True) == turn("first", [old, first("new", state=LeaseState.ACTIVE)])
