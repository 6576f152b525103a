"""Commits wait for the standby while it streams; without one the shop goes on alone (R6)."""

from shop.postgres.probe import Answer
from shop.postgres.synchronous import PATIENCE, Synchronous

STREAMING = Answer(False, "streaming")
ALONE = Answer(False, "", waits_for="node_b")


def test_a_streaming_standby_is_waited_for_at_once():
    assert "node_b" == Synchronous().wanted(STREAMING, "b")


def test_what_is_right_already_is_left_alone():
    assert Synchronous().wanted(Answer(False, "streaming", waits_for="node_b"), "b") is None


def test_a_standby_that_fell_away_is_waited_for_a_little_then_no_more():
    watch = Synchronous()
    assert [None] * (PATIENCE - 1) + [""] == [watch.wanted(ALONE, "b") for _ in range(PATIENCE)]


def test_one_good_answer_starts_the_patience_anew():
    watch = Synchronous()
    for _ in range(PATIENCE - 1):
        watch.wanted(ALONE, "b")
    watch.wanted(STREAMING, "b")
    assert watch.wanted(ALONE, "b") is None


def test_a_strict_shop_goes_on_waiting_for_a_standby_that_fell_away():
    watch = Synchronous(is_strict=True)
    assert "node_b" == watch.wanted(STREAMING, "b")
    assert {None} == {watch.wanted(ALONE, "b") for _ in range(3 * PATIENCE)}


def test_a_primary_that_waits_for_nobody_and_has_none_stays_so():
    watch = Synchronous()
    assert {None} == {watch.wanted(Answer(False), "b") for _ in range(PATIENCE + 1)}
