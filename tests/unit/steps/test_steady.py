"""Before each round: well, or no fault (S4, S5)."""

import pytest

from holdfast.errors import Postponed
from holdfast.model.lease import End, LeaseState, Reason
from holdfast.model.run import EntryKind
from holdfast.model.verdict import Verdict
from holdfast.steps.book import findings
from holdfast.steps.reserve import reserve
from holdfast.steps.steady import RoundLeftOut, steady
from support import suites
from support.ports import FakeMetrics
from support.runs import RUN, WELL, lease, planned

ILL = FakeMetrics(WELL | {suites.ERRORS: 0.2})


def with_lease(tmp_path, *changes, **parts):
    ports = planned(tmp_path, *changes)
    row = lease(**parts)
    ports.leases.rows[row.id] = row
    return ports


def test_a_round_begins_at_once_when_all_objectives_hold(tmp_path):
    ports = planned(tmp_path)
    steady(ports, RUN, 0)
    assert 0.0 == ports.clock.passed


def test_it_waits_until_they_hold(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics(WELL | {suites.ERRORS: [0.2, 0.1, "late", 0.0]}))
    steady(ports, RUN, 1)
    assert 1.5 == ports.clock.passed
    assert {"waited_seconds": 1.5, "broken": []} == ports.books.read(
        RUN, EntryKind.STEADY)[0].data


def test_they_must_hold_at_the_same_time(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics({
        suites.ERRORS: [0.2, 0.0, 0.0], suites.LATENCY: [0.1, 0.9, 0.1],
    }))
    steady(ports, RUN, 0)
    assert 1.0 == ports.clock.passed


def test_the_first_round_is_postponed_with_the_numbers(tmp_path):
    ports = planned(tmp_path, metrics=ILL)
    with pytest.raises(Postponed, match="not steady within 15 s: errors is 20%, objective < 1%"):
        steady(ports, RUN, 0)
    assert 15.0 == ports.clock.passed
    assert [] == findings(ports, RUN)


def test_no_data_is_not_steady(tmp_path):
    with pytest.raises(Postponed, match="errors has no data: no series"):
        steady(planned(tmp_path, metrics=FakeMetrics()), RUN, 0)


def test_a_later_round_that_is_not_steady_is_broken_and_gets_no_fault(tmp_path):
    ports = planned(tmp_path, metrics=ILL)
    with pytest.raises(RoundLeftOut):
        steady(ports, RUN, 1)
    (finding,) = findings(ports, RUN)
    assert ("steady-2", Verdict.BROKEN) == (finding.name, finding.verdict)
    assert "errors is 20%" in finding.text


def test_a_round_without_experiments_needs_nothing(tmp_path):
    ports = planned(tmp_path, request={"only": ("second",)}, metrics=ILL)
    steady(ports, RUN, 0)
    assert 0.0 == ports.clock.passed


def test_the_first_round_with_an_experiment_counts_as_first(tmp_path):
    ports = planned(tmp_path, request={"only": ("second",)}, metrics=ILL)
    with pytest.raises(Postponed) as refused:
        steady(ports, RUN, 1)
    assert not isinstance(refused.value, RoundLeftOut)


@pytest.mark.parametrize("reason", [
    Reason.BREACH, Reason.NO_DATA, Reason.NOT_STEADY, Reason.KEEPER_SILENT, Reason.STOPPED,
])
def test_after_an_abort_the_later_rounds_are_left_out(tmp_path, reason):
    with pytest.raises(RoundLeftOut, match="first was aborted before: errors were 3%"):
        steady(with_lease(tmp_path, reason=reason), RUN, 1)


@pytest.mark.parametrize("reason", [Reason.CLOSED, Reason.SUPERSEDED, Reason.ROUND])
def test_a_lease_closed_for_good_order_is_no_abort(tmp_path, reason):
    steady(with_lease(tmp_path, reason=reason), RUN, 1)


@pytest.mark.parametrize("ended", [End.SILENCE, End.SIGNAL, End.CHILD_DIED, End.ADOPTED])
def test_a_fault_that_its_keeper_ended_early_is_an_abort(tmp_path, ended):
    with pytest.raises(RoundLeftOut, match=f"its keeper ended it .{ended}."):
        steady(with_lease(tmp_path, ended=ended), RUN, 1)


@pytest.mark.parametrize(("ended", "reason"), [
    (End.DURATION, None), (End.REVOKED, Reason.CLOSED), (End.EXPIRED, Reason.SUPERSEDED),
])
def test_a_fault_that_ended_in_order_is_no_abort(tmp_path, ended, reason):
    steady(with_lease(tmp_path, ended=ended, reason=reason), RUN, 1)


def test_a_suite_may_go_on_after_an_abort(tmp_path):
    go_on = ("baseline:", "after_abort: continue\nbaseline:")
    steady(with_lease(tmp_path, go_on, reason=Reason.BREACH), RUN, 1)


def test_no_suite_goes_on_after_a_person_said_stop(tmp_path):
    go_on = ("baseline:", "after_abort: continue\nbaseline:")
    with pytest.raises(RoundLeftOut):
        steady(with_lease(tmp_path, go_on, reason=Reason.STOPPED), RUN, 1)


@pytest.mark.parametrize("state", sorted(set(LeaseState) - {LeaseState.CLEAN}))
def test_no_round_begins_while_an_earlier_fault_is_not_clean(tmp_path, state):
    go_on = ("baseline:", "after_abort: continue\nbaseline:")
    with pytest.raises(RoundLeftOut, match=f"lease lease-first of first is {state}"):
        steady(with_lease(tmp_path, go_on, state=state), RUN, 1)


@pytest.mark.parametrize("number", [0, 1])
def test_a_stop_between_two_rounds_ends_the_later_ones(tmp_path, number):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    ports.leases.stop(None, run_id=RUN)
    with pytest.raises(RoundLeftOut, match="was stopped since the run began"):
        steady(ports, RUN, number)


def test_only_earlier_rounds_matter(tmp_path):
    steady(with_lease(tmp_path, number=1, reason=Reason.BREACH, state=LeaseState.OPENED), RUN, 1)
