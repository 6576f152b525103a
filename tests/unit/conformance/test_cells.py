"""S4, S5: which deaths are tried, and how they are told."""

from itertools import pairwise

import pytest

from holdfast.conformance.cells import Blow, Cell, Party, cells
from holdfast.conformance.table import markdown, summary
from holdfast.conformance.trial import Outcome
from holdfast.model.lease import End, LeaseState


def test_every_driver_dies_with_each_party_and_at_each_state():
    found = list(cells(["one", "two"]))
    assert {"one", "two"} == {cell.driver for cell in found}
    mine = [cell for cell in found if cell.driver == "one"]
    assert set(Party) == {cell.party for cell in mine}
    assert {"armed", "before inject", "after inject", "active", "after reverting",
            "after revert"} == {cell.moment for cell in mine}


def test_a_thorough_driver_dies_on_both_sides_of_each_line_and_call():
    moments = {cell.moment for cell in cells(["one"], ["one"])}
    gaps = [f"{side} {what}" for what in ("injecting", "inject", "active", "reverting", "revert",
                                          "residue", "clean") for side in ("before", "after")]
    assert {*gaps, "armed", "active"} == moments
    assert set(Blow) == {cell.blow for cell in cells(["one"], ["one"])}


def test_no_death_is_tried_twice():
    found = list(cells(["one", "two"], ["two"]))
    assert len(set(found)) == len(found)


def test_only_a_moment_that_lies_behind_the_end_needs_an_end():
    ends = {cell.moment for cell in cells(["one"], ["one"]) if cell.ends_first}
    assert {f"{side} {what}" for what in ("reverting", "revert", "residue", "clean")
            for side in ("before", "after")} == ends


@pytest.mark.parametrize(("moment", "gap"), [("armed", False), ("after inject", True)])
def test_a_gap_is_not_a_state(moment, gap):
    assert Cell("one", Party.CHILD, moment, Blow.KILL).is_gap is gap


def outcome(seconds=0.25, *problems):
    cell = Cell("process.hang", Party.PARENT, "active", Blow.KILL)
    return Outcome(cell, seconds, End.PARENT_DIED, problems)


def test_the_table_names_what_was_wrong():
    text = markdown([outcome(), outcome(None, "residue: pid 7 is stopped")])
    assert "2 deaths of 1 drivers, 1 with something left or wrong." in text
    assert "| process.hang | keeper's parent | active | SIGKILL | 0.25 s | parent_died | clean |" \
        in text
    assert "| not | parent_died | WRONG |" in text
    assert "**process.hang, keeper's parent, active, SIGKILL**: residue: pid 7 is stopped" in text


def test_the_summary_has_the_worst_of_each_party_and_blow():
    text = summary([outcome(0.1), outcome(0.4), outcome(-0.01)])
    assert "| keeper's parent | SIGKILL | 3 | 0.40 s | 0 |" in text


def test_states_that_may_follow_are_those_of_a_lease():
    from holdfast.conformance.trial import _may_follow

    again = (LeaseState.REVERTING, LeaseState.REVERTING)
    assert _may_follow(again)
    assert all(map(_may_follow, pairwise([LeaseState.ACTIVE, LeaseState.REVERTING])))
    assert not _may_follow((LeaseState.ARMED, LeaseState.ACTIVE))
