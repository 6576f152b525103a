"""Rules about who must agree (S6)."""

import pytest

from holdfast.model.fault import Effect
from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites
from support.ports import FakeDriver

LAST = "blast_radius: {instances: 100%}"
WIPE = suites.drivers() | {"kill": FakeDriver(effect=Effect.IRREVERSIBLE, address="process")}


def complaints(approval, **known):
    try:
        load_text(suites.text((LAST, f"{LAST}\n{approval}")), "f", suites.known(**known))
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" for e in error.errors]
    return []


@pytest.mark.parametrize("approval", [
    "", "approval: {}", "approval: {from_impact: 0, by: [lead, cto], wait: 10m, valid_for: 2h}",
])
def test_who_is_asked_may_be_said(approval):
    assert [] == complaints(approval)


def test_what_cannot_be_undone_always_asks():
    """DESIGN 3: irreversible faults always ask a person."""
    assert [
        "what kill breaks cannot be undone, and nobody is asked "
        "(add approval: {}, with by: [...] to say who may approve)"
    ] == complaints("", drivers=WIPE)
    assert [] == complaints("approval: {from_impact: 100}", drivers=WIPE)


@pytest.mark.parametrize(("approval", "told"), [
    ("{wait: 5s}", "'wait' is 5s (at least 10s)"),
    ("{valid_for: 200h}", "'valid_for' is 720000s (at most 604800s)"),
    ("{by: [lead, ' Lead']}", "'lead' is there twice (take one out)"),
])
def test_what_could_never_be_answered_is_refused(approval, told):
    assert [told] == complaints(f"approval: {approval}")


@pytest.mark.parametrize("approval", [
    "{from_impact: 101}", "{from_impact: 4.5}", "{by: ['']}", "{by: lead}", "{who: [lead]}",
])
def test_what_is_no_approval_is_refused(approval):
    assert complaints(f"approval: {approval}")
