"""The circuit breaker in front of payments: when it opens, and how it closes again (R2)."""

import pytest

from shop.api.breaker import OPEN_SECONDS, Breaker, State

CLOSED, HALF_OPEN, OPEN = State.CLOSED, State.HALF_OPEN, State.OPEN


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def seen():
    return []


@pytest.fixture
def breaker(time, seen):
    return Breaker(seen.append, time)


def _attempts(breaker, *outcomes):
    for well in outcomes:
        breaker.settle(breaker.admit(), well)


def _opened(breaker):
    _attempts(breaker, *[False] * 5)
    return breaker


def test_five_failures_open_it_and_then_nothing_is_let_through(breaker, seen):
    _attempts(breaker, *[False] * 4)
    assert [] == seen
    _attempts(breaker, False)
    assert [OPEN] == seen
    assert breaker.admit() is None


@pytest.mark.parametrize(("outcomes", "state"), [
    pytest.param([True] * 20 + [False] * 5, OPEN, id="what-went-well-before-is-no-credit"),
    pytest.param([True, False] * 5, OPEN, id="half-of-the-last-ten"),
    pytest.param([True, True, False] * 20, CLOSED, id="a-third-is-for-the-retry"),
])
def test_it_judges_the_last_ten_attempts(breaker, outcomes, state):
    for well in outcomes:
        if breaker.ready:
            _attempts(breaker, well)
    assert state is breaker.state


def test_failures_of_long_ago_are_forgotten(breaker, time):
    _attempts(breaker, *[False] * 4)
    time.now += 2.1
    _attempts(breaker, *[False] * 4)
    assert CLOSED is breaker.state


def test_it_stays_open_for_its_time(breaker, time):
    _opened(breaker)
    time.now += OPEN_SECONDS - 0.01
    assert breaker.admit() is None
    assert OPEN is breaker.state


def test_after_its_time_one_single_trial_is_let_through(breaker, time):
    _opened(breaker)
    time.now += OPEN_SECONDS
    assert breaker.ready
    assert breaker.admit() is not None
    assert HALF_OPEN is breaker.state
    assert breaker.admit() is None


@pytest.mark.parametrize(("well", "then"), [
    pytest.param(True, [OPEN, HALF_OPEN, CLOSED], id="well"),
    pytest.param(False, [OPEN, HALF_OPEN, OPEN], id="failed"),
])
def test_the_trial_decides(breaker, time, seen, well, then):
    _opened(breaker)
    time.now += OPEN_SECONDS
    _attempts(breaker, well)
    assert then == seen


def test_an_attempt_of_before_decides_no_trial(breaker, time):
    late = breaker.admit()
    _opened(breaker)
    time.now += OPEN_SECONDS
    breaker.admit()
    breaker.settle(late, well=True)
    assert HALF_OPEN is breaker.state


def test_a_failed_trial_opens_it_for_its_whole_time_again(breaker, time):
    _opened(breaker)
    time.now += OPEN_SECONDS
    _attempts(breaker, False)
    time.now += OPEN_SECONDS - 0.01
    assert not breaker.ready


def test_states_are_numbered_and_named_for_metrics():
    assert {0: "closed", 1: "half-open", 2: "open"} == {int(s): s.label for s in State}
