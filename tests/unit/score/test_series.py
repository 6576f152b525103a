"""K1: availability and failures from the objectives' series."""

import pytest

from holdfast.model.suite import Objective
from holdfast.score.series import failures, good_share, seen

T0 = 1_790_000_000.0


def objective(name, bound):
    return Objective(name=name, indicator={"prometheus": name}, objective=bound)


AVAILABLE, ERRORS = objective("availability", ">= 99%"), objective("errors", "< 1%")
LATENCY, CPU = objective("latency", "< 500ms"), objective("cpu", "< 90%")


@pytest.mark.parametrize(("objectives", "found"), [
    ((LATENCY, ERRORS, AVAILABLE), (AVAILABLE, False)),
    ((CPU, ERRORS), (ERRORS, True)),
    ((LATENCY, CPU), None),
])
def test_the_objective_that_counts_good_requests_is_found_without_guessing(objectives, found):
    assert found == good_share(objectives)


def series(*values, step=60.0):
    return [(T0 + n * step, value) for n, value in enumerate(values)]


def test_availability_is_the_mean_over_the_time_with_data():
    told = seen((AVAILABLE,), {"availability": series(1.0, 0.5, 1.0, 1.0)}, 60.0, ())
    assert (0.875, 0.99, 4 / 60) == (told.available, told.promised, told.available_hours)


def test_errors_are_the_other_side_of_availability():
    told = seen((ERRORS,), {"errors": series(0.0, 0.02)}, 60.0, ())
    assert (0.99, 0.99) == (told.available, told.promised)


def test_without_series_nothing_is_known():
    told = seen((AVAILABLE,), {}, 60.0, ())
    assert (None, None, 0.0, 0.0) == (
        told.available, told.promised, told.available_hours, told.quiet_hours)


def test_an_objective_that_counts_nothing_gives_no_availability_but_failures():
    told = seen((LATENCY,), {"latency": series(0.1, 0.9)}, 60.0, ())
    assert (None, 1, 2 / 60) == (told.available, len(told.failures), told.quiet_hours)


def test_what_happens_during_a_run_is_no_failure_of_its_own():
    busy = [(T0 + 30, T0 + 90)]
    told = seen((AVAILABLE,), {"availability": series(1.0, 0.2, 1.0)}, 60.0, busy)
    assert ([], 2 / 60) == (told.failures, told.quiet_hours)


def test_failures_near_each_other_are_one_and_say_when_and_what():
    points = {"availability": series(0.9, 1.0, 0.8, *[1.0] * 9, 0.5)}
    told = failures(points, {"availability": AVAILABLE.objective})
    assert ["2026-09-21 14:13: availability 90%", "2026-09-21 14:25: availability 50%"] == told
