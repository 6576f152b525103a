"""K1: the score and its explanation; N17, N18: never a number without what is behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.score import Seen, Tried
from holdfast.model.verdict import Verdict
from holdfast.score.resilience import WEIGHTS, resilience

HELD = Tried("r1", "kill", Verdict.HELD, True, True, True, 8.0)
WELL = Seen(0.9999, 0.99, 160.0, 150.0)


def test_the_weights_are_those_of_the_requirement():
    assert ([0.3, 0.2, 0.2, 0.1, 0.1, 0.1], 1.0) == (
        list(WEIGHTS.values()), pytest.approx(sum(WEIGHTS.values())))


def test_a_service_on_all_targets_scores_one_but_for_the_spent_budget():
    score = resilience([HELD], WELL, ("r1",))
    assert (0.999, 7, ("r1",)) == (score.value, score.window_days, score.runs)


def test_without_a_fault_there_is_no_score_however_well_all_looks():
    """N18: a score of 100 with nothing checked."""
    score = resilience([], WELL, ())
    assert (None, "no score: no fault was injected in the last 7 days") == (score.value, score.text)


def test_what_was_not_measured_is_left_out_and_said():
    score = resilience([HELD], Seen(0.9999, 0.99, 160.0), ("r1",))
    assert 0.75 < score.value
    assert ("from 1 fault; not measured and left out: time between failures, so 80 % of the "
            "weights count as the whole") in score.text


def test_a_few_good_figures_are_no_score():
    """N18: a number that rises because less could be seen."""
    score = resilience([HELD], Seen(), ("r1",))
    assert score.value is None
    assert score.text.startswith(
        "no score: only 40 % of the weights were measured, at least 50 % are needed; from 1 fault; "
        "not measured and left out: availability, time between failures, error budget left")


def test_the_text_names_what_costs_most():
    """N17: one number that does not say what broke."""
    broken = Tried("r2", "slow", Verdict.BROKEN, True, True, False, 30.0)
    text = resilience([HELD, broken], WELL, ("r1", "r2")).text
    named = "it loses most by experiment success (1 of 2 held, target above 95 %; BROKEN: slow); "
    assert named + "recovery without help (1 of 2 recovered in time" in text


def test_each_part_names_the_runs_behind_it():
    parts = {p.name: p for p in resilience([HELD, HELD], WELL, ("r1",)).parts}
    assert (("r1",), ()) == (parts["experiment success"].runs, parts["availability"].runs)


def facts():
    return st.builds(
        Tried, st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.sampled_from(Verdict),
        st.booleans(), st.booleans(), st.booleans(), st.none() | st.floats(0, 1e5))


@given(st.lists(facts(), min_size=1, max_size=6), st.floats(0, 1), st.floats(0, 168))
def test_a_score_stays_between_nothing_and_one(tried, available, hours):
    score = resilience(tried, Seen(available, 0.99, hours, hours), ())
    assert 0.0 <= score.value <= 1.0
    assert all(p.value is None or 0.0 <= p.value <= 1.0 for p in score.parts)


@given(st.lists(facts(), min_size=1, max_size=5))
def test_one_more_broken_fault_never_raises_the_score(tried):
    """N18: a failed run above one never run."""
    broken = Tried("c", "z", Verdict.BROKEN, True, False, False)
    before = resilience([HELD, *tried], WELL, ()).value
    assert resilience([HELD, *tried, broken], WELL, ()).value <= before
