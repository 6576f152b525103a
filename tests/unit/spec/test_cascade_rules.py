"""F6: a fault may follow another of its round, if its keeper can wait that long."""

import pytest

from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites

FIRST, BESIDE = "target: api, duration: 7s", "target: link, duration: 6s, delay: 2s"


def complaints(*changes):
    try:
        load_text(suites.text(*changes), "f", suites.known())
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" if e.hint else e.message for e in error.errors]
    return []


def after(place, name):
    return place, f"{place}, after: {name}"


def test_a_fault_may_follow_one_beside_it():
    assert [] == complaints(after(BESIDE, "first"))


@pytest.mark.parametrize(("name", "told"), [
    ("frist", "no experiment 'frist' beside this one in its round (did you mean 'first'?)"),
    ("second", "no experiment 'second' beside this one in its round (both must be in one round)"),
    ("beside", "no experiment 'beside' beside this one in its round (both must be in one round)"),
])
def test_it_follows_one_of_its_own_round(name, told):
    assert [told] == complaints(after(BESIDE, name))


def test_one_that_is_alone_follows_nobody():
    told = complaints(("target: api, duration: 8s", "target: api, duration: 8s, after: nobody"))
    assert ["no experiment 'nobody' beside this one in its round (it is alone in its round)"
            ] == told


def test_faults_do_not_follow_each_other_in_a_circle():
    assert [
        "faults follow each other in a circle: first after beside after first "
        "(leave one 'after' out)",
        "faults follow each other in a circle: beside after first after beside "
        "(leave one 'after' out)",
    ] == complaints(after(FIRST, "beside"), after(BESIDE, "first"))


@pytest.mark.parametrize(("delay", "told"), [
    ("50s", []),
    ("51s", ["its turn may take 91s to come "
             "(at most 90s: shorten the delays or the chain)"]),
])
def test_a_keeper_does_not_wait_longer_than_it_stays_armed(delay, told):
    first = (FIRST, f"{FIRST}, delay: {delay}")
    assert told == complaints(first, after(BESIDE, "first"))
