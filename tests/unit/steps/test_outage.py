"""What users felt, from the workload's own log."""

from holdfast.steps.outage import Outage, outage
from support.after import op, steady

WINDOW = (10.0, 18.0)


def felt(*bad, until=30.0, slow=0.5, now=30.0):
    return outage([*steady(0, until), *bad], WINDOW, slow, now)


def test_nothing_bad_is_nothing_felt():
    assert Outage(None, None, True, 81, 0, 0, 0) == felt()


def test_detection_is_the_first_bad_operations_end_and_recovery_the_lasts():
    """R4."""
    seen = felt(op(11, 0.2, "fail"), op(13, 1.0, "info"))
    assert Outage(11.2, 14.0, True, 83, 1, 1, 0) == seen


def test_a_slow_operation_is_bad_from_the_moment_it_is_too_slow():
    seen = felt(op(11, 2.0))
    assert (11.5, 13.0, 1) == (seen.detected_at, seen.ended_at, seen.slow)


def test_without_a_latency_objective_slow_is_not_bad():
    assert felt(op(11, 2.0), slow=None).detected_at is None


def test_trouble_goes_on_after_the_window_until_two_good_seconds():
    seen = felt(op(17, 0.1, "fail"), op(19, 0.1, "fail"), op(20.5, 0.1, "fail"))
    assert 20.6 == seen.ended_at


def test_what_comes_after_two_good_seconds_is_not_this_faults():
    assert 17.1 == felt(op(17, 0.1, "fail"), op(19.2, 0.1, "fail")).ended_at


def test_good_seconds_within_the_window_do_not_end_it():
    assert 16.1 == felt(op(11, 0.1, "fail"), op(16, 0.1, "fail")).ended_at


def test_trouble_before_the_fault_is_not_this_faults():
    assert felt(op(8, 0.1, "fail")).detected_at is None


def test_an_operation_under_way_when_the_fault_came_counts_from_the_fault():
    assert 10.0 == felt(op(9.4, 0.8)).detected_at


def test_it_is_not_over_before_two_good_seconds_have_passed():
    assert not felt(op(17, 0.1, "fail"), until=18.5, now=18.9).is_over


def test_silence_of_the_workload_is_no_recovery():
    assert not outage([op(11, 0.1, "fail")], WINDOW, 0.5, 30.0).is_over


def test_an_operation_that_never_ends_is_bad_once_it_is_too_slow():
    from dataclasses import replace

    hanging = replace(op(29.8, outcome="info"), completed=None), replace(
        op(12, outcome="info"), completed=None)
    seen = felt(*hanging)
    assert (12.5, 12.5) == (seen.detected_at, seen.ended_at)
