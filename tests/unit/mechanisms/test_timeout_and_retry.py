"""R2, R5: no attempt is longer than its limit; what failed is tried again, with pauses."""

import pytest

from holdfast.mechanisms import retry, timeout
from holdfast.model.mechanism import MechanismState
from support.mechanisms import judged, series

LIMIT = {"limit": "300ms"}
WORKING, PARTIAL = MechanismState.WORKING, MechanismState.PARTIAL
BROKEN, NOT_VALIDATED = MechanismState.BROKEN, MechanismState.NOT_VALIDATED


@pytest.mark.parametrize(("longest", "cut_off", "state"), [
    pytest.param(0.31, 40, WORKING, id="cut-off-at-the-limit"),
    pytest.param(0.31, 0, WORKING, id="near-the-limit-is-cut-off"),
    pytest.param(2.0, 0, BROKEN, id="nothing-is-cut-off"),
    pytest.param(2.0, 40, PARTIAL, id="some-are-cut-off"),
    pytest.param(0.05, 0, NOT_VALIDATED, id="none-came-near"),
])
def test_a_timeout_is_judged_by_the_longest_attempt(longest, cut_off, state):
    seen = {"longest": series((0, 0.02), (12, longest), (25, 0.02)),
            "cut_off": series((13, cut_off))}
    assert state is judged(timeout.MECHANISM, params=LIMIT, **seen).state


def test_the_text_of_a_timeout_holds_its_figures():
    seen = {"longest": series((12, 2.0)), "cut_off": series((13, 40))}
    found = judged(timeout.MECHANISM, params=LIMIT, **seen)
    assert ("the longest attempt took 2.0 s, the limit is 300 ms, though 40 attempts were cut off"
            ) == found.text
    assert {"longest_seconds": 2.0, "cut_off": 40, "limit_seconds": 0.3} == found.figures


def test_an_attempt_that_ends_after_the_revert_counts():
    assert BROKEN is judged(timeout.MECHANISM, params=LIMIT, longest=series((22, 5.0))).state


def test_an_attempt_from_before_the_fault_does_not_count():
    seen = series((0, 5.0), (9, 0.02))
    assert NOT_VALIDATED is judged(timeout.MECHANISM, params=LIMIT, longest=seen).state


RETRIED = {"failures": series((11, 10)), "retries": series((12, 15)),
           "first_pause": series((0, 0.05)), "second_pause": series((0, 0.1))}


@pytest.mark.parametrize(("change", "state", "told"), [
    pytest.param({}, WORKING, "tried again, after 50 ms and then 100 ms", id="grows"),
    pytest.param({"second_pause": []}, WORKING, "again, after 50 ms", id="one-retry-only"),
    pytest.param({"retries": series()}, BROKEN, "and none was tried again", id="none"),
    pytest.param({"retries": series((12, 30))}, PARTIAL, "2 for each are allowed", id="too-often"),
    pytest.param({"first_pause": series((0, 0.001))}, PARTIAL, "after 1 ms only", id="at-once"),
    pytest.param({"first_pause": []}, PARTIAL, "no pause was seen", id="no-pause"),
    pytest.param({"second_pause": series((0, 0.06))}, PARTIAL,
                 "the pause does not grow: 50 ms, then 60 ms", id="does-not-grow"),
    pytest.param({"failures": series((11, 2))}, NOT_VALIDATED, "too few to tell", id="too-few"),
])
def test_a_retry_is_judged_by_its_counts_and_pauses(change, state, told):
    found = judged(retry.MECHANISM, **RETRIED | change)
    assert state is found.state
    assert told in found.text, found.text


def test_the_figures_of_a_retry():
    assert {"failures": 10, "retries": 15, "first_pause_seconds": 0.05,
            "second_pause_seconds": 0.1} == judged(retry.MECHANISM, **RETRIED).figures
