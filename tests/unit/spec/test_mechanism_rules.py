"""Rules of mechanisms: what the broken suites do not show (R5)."""

import pytest

from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites

BREAKER = "type: breaker, indicators: {state: s}"
GOES_ON = "type: goes_on, history: orders"


def complaints(mechanism: str, expected: str = "m") -> list[str]:
    changes = (
        ("consistency:", f"mechanisms:\n  m: {{{mechanism}}}\nconsistency:"),
        ("checks: [app_recovered]}", f"checks: [app_recovered], mechanisms: [{expected}]}}"),
    )
    try:
        load_text(suites.text(*changes), "f", suites.known())
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" if e.hint else e.message for e in error.errors]
    return []


@pytest.mark.parametrize("mechanism", [
    BREAKER, "type: breaker, indicators: {state: s, opened: o}, params: {open_for: 2s}", GOES_ON,
    "type: goes_on, indicators: {answered: a}", "type: functions, history: orders",
    "type: functions, indicators: {browse: b}",
])
def test_a_mechanism_that_can_be_seen_is_accepted(mechanism):
    assert [] == complaints(mechanism)


@pytest.mark.parametrize(("mechanism", "told"), [
    ("type: brekaer", "unknown mechanism type 'brekaer' (did you mean 'breaker'?)"),
    ("type: breaker", "breaker needs the indicator 'state' (0 closed, 2 open)"),
    ("type: goes_on", "goes_on needs the indicator 'answered', or a history (share)"),
    ("type: functions",
     "functions needs a history, or indicators of your own (share by function)"),
    (f"{GOES_ON}, indicators: {{x: y}}", "unknown indicator 'x' (known: answered)"),
    (f"{GOES_ON}, params: {{what: x}}", "unknown parameter 'what' (known: must)"),
    ("type: functions, history: orders, params: {x: 1}", "unknown parameter 'x' (it takes none)"),
    (f"{BREAKER}, params: {{open_for: 5}}", "'open_for' is '5' "
     "(a duration is a number and ms, s, m or h, such as 500ms or 8s)"),
    (f"{BREAKER}, history: orders", "breaker reads no history (leave it out)"),
    ("type: goes_on, history: orderz", "unknown history 'orderz' (did you mean 'orders'?)"),
])
def test_what_is_wrong_is_said_with_its_cure(mechanism, told):
    assert any(told in said for said in complaints(mechanism)), complaints(mechanism)


def test_a_judge_without_indicators_takes_none():
    judge = suites.mechanisms()["goes_on"]
    judge.indicators = {}
    text = suites.text(("consistency:", "mechanisms:\n  m: {type: g, history: orders, "
                        "indicators: {x: y}}\nconsistency:"))
    with pytest.raises(SpecErrors, match=r"unknown indicator 'x' .it takes none"):
        load_text(text, "f", suites.known(mechanisms={"g": judge}))


def test_an_experiment_expects_what_is_there():
    assert ["unknown mechanism 'n' (did you mean 'm'?)"] == complaints(BREAKER, "m, n")


def test_without_mechanisms_none_can_be_expected():
    text = suites.text(("checks: [app_recovered]}", "mechanisms: [m]}"))
    with pytest.raises(SpecErrors, match="the suite has no mechanisms"):
        load_text(text, "f", suites.known())


def test_one_that_nobody_expects_would_never_be_judged():
    assert ["no experiment expects 'm' (name it in an experiment's expect.mechanisms)"] == [
        said for said in complaints(BREAKER, "") if "'m'" in said]
