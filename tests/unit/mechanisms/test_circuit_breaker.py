"""R2, R5: a breaker that opens, stays open, tries and closes is WORKING; less is less."""

from holdfast.mechanisms.circuit_breaker import MECHANISM
from holdfast.model.mechanism import MechanismState
from support.mechanisms import judged, series

FAILURES = series((11, 6), (12, 12), (14, 14))
OPENS = series((12, 2), (14, 1), (15, 2), (22, 0))
WHOLE = {"failures": FAILURES, "state": OPENS, "opened": series((12, 1), (15, 2)),
         "half_opened": series((14, 1), (18, 2))}


def test_all_four_seen_is_working():
    found = judged(MECHANISM, **WHOLE)
    assert MechanismState.WORKING is found.state
    assert ("opened 2.0 s after the fault, was not closed for 9.0 s, tried 2 times half-open, and "
            "was closed 2.0 s after the revert") == found.text
    assert {"failures": 14, "opened_after_seconds": 2.0, "not_closed_seconds": 9.0,
            "half_opened": 2, "closed_after_seconds": 2.0} == found.figures


def test_enough_failures_without_opening_is_broken():
    found = judged(MECHANISM, failures=FAILURES, state=series())
    assert (MechanismState.BROKEN, "14 calls failed, and it did not open") == (
        found.state, found.text)


def test_too_few_failures_say_nothing():
    found = judged(MECHANISM, failures=series((11, 4)), state=series())
    assert (MechanismState.NOT_VALIDATED, "4 calls failed, 5 would have to make it open") == (
        found.state, found.text)


def test_failures_from_before_the_fault_or_after_it_are_none():
    seen = series((3, 50), (24, 90))
    assert MechanismState.NOT_VALIDATED is judged(
        MECHANISM, failures=seen, state=series()).state


def test_one_that_does_not_close_again_works_in_part_and_may_still_close():
    found = judged(MECHANISM, **WHOLE | {"state": series((12, 2), (14, 1), (15, 2))})
    assert (MechanismState.PARTIAL, True) == (found.state, found.may_change)
    assert found.text.endswith("but was not closed 10.0 s after the revert")


def test_one_that_flaps_works_in_part():
    flapping = series((12, 2), (13, 0), (15, 2), (16, 0))
    found = judged(MECHANISM, **WHOLE | {"state": flapping})
    assert (MechanismState.PARTIAL, False) == (found.state, found.may_change)
    assert "stayed open for 0 ms only" in found.text


def test_one_that_never_tries_works_in_part():
    found = judged(MECHANISM, failures=FAILURES, state=series((12, 2), (22, 0)))
    assert (MechanismState.PARTIAL, True) == (
        found.state, found.text.endswith("but was not seen half-open"))


def test_a_sample_shows_it_half_open_where_there_is_no_counter():
    found = judged(MECHANISM, failures=FAILURES, state=OPENS)
    assert (MechanismState.WORKING, 1) == (found.state, found.figures["half_opened"])


def test_an_opening_between_two_samples_is_told_by_its_counter():
    found = judged(MECHANISM, **WHOLE | {"state": series()})
    assert "opened 2.0 s after the fault, but stayed open for 0 ms only" == found.text


def test_without_a_sample_since_the_fault_it_is_not_known_to_be_closed():
    found = judged(MECHANISM, **WHOLE | {"state": series()[:5]})
    assert found.may_change
