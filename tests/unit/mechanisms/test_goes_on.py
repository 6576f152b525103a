"""R2, R5: answers go on: by a fallback, a refreshed pool, a load balancer, by degrading well."""

import pytest

from holdfast.mechanisms import degradation, fallback, load_balancer, pool_refresh
from holdfast.model.mechanism import MechanismState
from support.mechanisms import judged, operations, series

WORKING, PARTIAL = MechanismState.WORKING, MechanismState.PARTIAL
BROKEN, NOT_VALIDATED = MechanismState.BROKEN, MechanismState.NOT_VALIDATED


@pytest.mark.parametrize(("failures", "used", "answered", "state"), [
    pytest.param(40, 30, 1.0, WORKING, id="used-and-answered"),
    pytest.param(40, 30, 0.5, PARTIAL, id="used-and-too-few-answered"),
    pytest.param(40, 0, 0.5, BROKEN, id="not-used-and-too-few-answered"),
    pytest.param(40, 0, 1.0, NOT_VALIDATED, id="nobody-needed-it"),
    pytest.param(2, 0, 0.5, NOT_VALIDATED, id="answers-failed-for-another-reason"),
])
def test_a_fallback_is_judged_by_what_users_got(failures, used, answered, state):
    seen = {"failures": series((11, failures)), "used": series((11, used)),
            "answered": series((0, answered))}
    assert state is judged(fallback.MECHANISM, **seen).state


def test_a_history_tells_what_was_answered_of_one_operation():
    history = operations("order", ok=8, failed=2) + operations("browse", ok=10)
    seen = {"failures": series((11, 40)), "used": series((11, 30))}
    found = judged(fallback.MECHANISM, history, {"operation": "order"}, **seen)
    assert (PARTIAL, 0.8) == (found.state, found.figures["answered"])
    assert "40 calls failed, it was used 30 times, 80.0% were answered" == found.text


def test_without_an_answer_a_fallback_is_not_validated():
    found = judged(fallback.MECHANISM, failures=series((11, 40)), used=series((11, 30)))
    assert (NOT_VALIDATED, "no answer was seen while the fault was on") == (found.state, found.text)


SWITCHED = {"switched": series((12, 1)), "opened": series((0, 16), (13, 32)),
            "errors": series((11, 0.3), (16, 0.0))}


@pytest.mark.parametrize(("change", "state", "told"), [
    pytest.param({}, WORKING, "16 connections were opened, errors ended 3.0 s after", id="well"),
    pytest.param({"errors": []}, WORKING, "errors ended 0 ms after", id="no-request"),
    pytest.param({"errors": series((11, 0.3), (25, 0.0))}, PARTIAL, "ended 12.0 s", id="late"),
    pytest.param({"errors": series((11, 0.3))}, BROKEN, "had not ended 18.0 s", id="for-ever"),
    pytest.param({"opened": series((0, 16))}, BROKEN, "no connection was opened", id="stale"),
    pytest.param({"switched": series()}, NOT_VALIDATED, "there was no fail-over", id="nothing"),
])
def test_a_pool_is_judged_by_its_connections_and_the_errors(change, state, told):
    found = judged(pool_refresh.MECHANISM, **SWITCHED | change)
    assert state is found.state
    assert told in found.text, found.text


def test_errors_that_go_on_may_still_end():
    errors = series((11, 0.3))
    assert judged(pool_refresh.MECHANISM, **SWITCHED | {"errors": errors}).may_change


DEAD = series((0, 2), (11, 1), (21, 2))


@pytest.mark.parametrize(("alive", "served", "state", "told"), [
    pytest.param(DEAD, series((0, 2), (12, 1), (22, 2)), WORKING,
                 "out after 1.0 s and back 2.0 s after it was last seen dead", id="out-and-back"),
    pytest.param(DEAD, series((0, 2), (10, 1), (20, 2)), WORKING, "out after 0 ms", id="before-us"),
    pytest.param(DEAD, series((0, 2), (17, 1), (22, 2)), PARTIAL, "out after 6.0 s, 4.0 s allowed",
                 id="late"),
    pytest.param(DEAD, series((0, 2), (12, 1), (28, 2)), PARTIAL, "back 8.0 s", id="back-late"),
    pytest.param(DEAD, series((0, 2), (12, 1)), PARTIAL, "is not back", id="not-back"),
    pytest.param(DEAD, series((0, 2)), BROKEN, "dead for 9.0 s, and was not taken out", id="in"),
    pytest.param(series((0, 2), (11, 1), (13, 2)), series((0, 2)), NOT_VALIDATED,
                 "too short to tell", id="short"),
    pytest.param(series((0, 2)), series((0, 2)), NOT_VALIDATED, "no instance died", id="nobody"),
])
def test_a_load_balancer_is_judged_by_who_lives_and_who_serves(alive, served, state, told):
    found = judged(load_balancer.MECHANISM, alive=alive, in_service=served)
    assert state is found.state
    assert told in found.text, found.text


def test_one_that_is_not_back_may_still_come():
    found = judged(load_balancer.MECHANISM, alive=DEAD, in_service=series((0, 2), (12, 1)))
    assert found.may_change


def test_without_a_sample_from_before_the_most_ever_seen_is_the_usual():
    alive = DEAD[15:]
    assert BROKEN is judged(
        load_balancer.MECHANISM, alive=alive, in_service=series((0, 2))).state


MUST = {"must": "browse, transfer"}


@pytest.mark.parametrize(("order", "browse", "transfer", "degraded", "state"), [
    pytest.param((0, 10), (10, 0), (10, 0), 0, WORKING, id="only-orders-fail"),
    pytest.param((10, 0), (10, 0), (10, 0), 7, WORKING, id="poorer-answers"),
    pytest.param((0, 10), (10, 0), (5, 5), 0, PARTIAL, id="one-that-must-fails"),
    pytest.param((0, 10), (0, 10), (5, 5), 0, BROKEN, id="all-that-must-fail"),
    pytest.param((10, 0), (10, 0), (10, 0), 0, NOT_VALIDATED, id="nothing-was-degraded"),
])
def test_degradation_is_judged_by_what_must_go_on(order, browse, transfer, degraded, state):
    history = [*operations("order", *order), *operations("browse", *browse),
               *operations("transfer", *transfer)]
    seen = series((11, degraded))
    assert state is judged(degradation.MECHANISM, history, MUST, degraded=seen).state


def test_a_function_may_have_a_query_of_its_own():
    found = judged(degradation.MECHANISM, params={"must": "browse"},
                   browse=series((0, 1.0)), order=series((0, 1.0), (11, 0.2)))
    assert (WORKING, "requests that were well: browse 100.0%, order 27.3%") == (
        found.state, found.text)


def test_a_function_nobody_used_says_nothing():
    found = judged(degradation.MECHANISM, operations("order", 10), MUST)
    assert (NOT_VALIDATED, "nothing was seen of browse, transfer while the fault was on") == (
        found.state, found.text)
