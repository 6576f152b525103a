"""Opening a run: checked, resolved, written down, signed (O1, E1)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.errors import EvidenceError, Postponed, SpecError
from holdfast.faults.network.latency import DRIVER as LATENCY
from holdfast.model.run import EntryKind, RunState
from holdfast.spec.problems import SpecErrors
from holdfast.steps.book import is_dry, plan_of, suite_of
from holdfast.steps.plan import PLAN, PlanRequest, plan
from support import suites
from support.ports import START, memory_ports
from support.runs import RUN, planned


def test_a_run_is_opened_with_its_suite_and_plan(tmp_path):
    ports = planned(tmp_path, request={"triggered_by": "ada"})
    run = ports.books.run(RUN)
    assert ("checkout", "staging", "ada", RunState.STARTED) == (
        run.suite, run.environment, run.triggered_by, run.state
    )
    assert suites.suite() == suite_of(ports, RUN)
    assert run.plan_digest == plan_of(ports, RUN)["digest"]


def test_the_plan_is_signed_without_its_recipes(tmp_path):
    (statement,) = planned(tmp_path).notary.statements
    assert PLAN == statement.predicate_type
    assert {"checkout.plan.json", "checkout.suite.yaml"} == set(statement.subjects)
    assert "undo" not in json.dumps(statement.predicate)
    assert statement.predicate["plan_digest"].endswith(statement.subjects["checkout.plan.json"])


def test_planning_again_signs_nothing_twice(tmp_path):
    ports = planned(tmp_path)
    request = PlanRequest(RUN, tmp_path / "checkout.suite.yaml")
    assert ports.books.run(RUN).plan_digest == plan(ports, request)
    assert 1 == len(ports.notary.log)


def test_a_plan_that_is_not_on_record_is_not_in_the_book(tmp_path):
    ports = memory_ports(tmp_path, drivers=suites.drivers())
    ports.notary.broken = "disk full"
    with pytest.raises(EvidenceError):
        plan(ports, PlanRequest(RUN, suites.written(tmp_path)))
    assert [] == ports.books.read(RUN, EntryKind.PLAN)


def test_a_person_may_choose_experiments_and_rounds_keep_their_numbers(tmp_path):
    ports = planned(tmp_path, request={"only": ("second",)})
    names = [[e.name for e in step.experiments] for step in suite_of(ports, RUN).rounds]
    assert [[], ["second"]] == names
    assert ["second"] == [e["name"] for e in plan_of(ports, RUN)["experiments"]]


def test_a_choice_of_what_is_not_there_names_the_nearest(tmp_path):
    ports = memory_ports(tmp_path, drivers=suites.drivers())
    with pytest.raises(SpecError, match=r"unknown experiment 'secnd' .did you mean 'second'"):
        plan(ports, PlanRequest(RUN, suites.written(tmp_path), only=("secnd",)))


@pytest.mark.parametrize("dry", [True, False])
def test_whether_it_is_a_dry_run_is_remembered(tmp_path, dry):
    assert dry is is_dry(planned(tmp_path, request={"dry_run": dry}), RUN)


def test_a_broken_suite_opens_no_run(tmp_path):
    ports = memory_ports(tmp_path, drivers=suites.drivers())
    with pytest.raises(SpecErrors, match="unknown fault type"):
        plan(ports, PlanRequest(RUN, suites.written(tmp_path, ("type: kill", "type: nuke"))))
    assert ports.books.run(RUN) is None


def test_targets_that_are_down_postpone_a_run_that_is_already_open(tmp_path):
    drivers = suites.drivers()
    drivers["hang"].refuse = "connection refused"
    ports = memory_ports(tmp_path, drivers=drivers)
    with pytest.raises(Postponed, match="first: api: connection refused"):
        plan(ports, PlanRequest(RUN, suites.written(tmp_path)))
    assert RunState.STARTED is ports.books.run(RUN).state
    assert [] == ports.notary.log


@pytest.mark.parametrize(("content", "told"), [
    (None, "there is no connections file .*holdfast connect"),
    ("{}", "unknown connection 'shop_proxy' .*holdfast connect"),
])
def test_connections_that_are_not_there_now_postpone_like_a_target_that_is_down(
    tmp_path, content, told
):
    """The shop is down: come back later (exit code 3), and the books say why."""
    drivers = suites.drivers() | {"latency": LATENCY}
    if content is not None:
        (tmp_path / "connections.json").write_text(content)
        (tmp_path / "connections.json").chmod(0o600)
    ports = memory_ports(tmp_path, drivers=drivers)
    with pytest.raises(Postponed, match=told) as refused:
        plan(ports, PlanRequest(RUN, suites.written(tmp_path)))
    assert 3 == refused.value.exit_code
    assert RunState.STARTED is ports.books.run(RUN).state


def test_a_run_that_was_cleared_begins_again(tmp_path):
    ports = planned(tmp_path)
    before = ports.books.run(RUN)
    ports.books.close_run(replace(before, state=RunState.POSTPONED, reason="busy", ended_at="x"))
    plan(ports, PlanRequest(RUN, tmp_path / "checkout.suite.yaml"))
    assert replace(before, triggered_by="") == ports.books.run(RUN)


def test_who_chooses_a_fault_that_follows_another_chooses_both(tmp_path):
    """F6: it would wait in vain."""
    change = ("duration: 6s, delay: 2s", "duration: 6s, delay: 2s, after: first")
    why = r"'beside' follows 'first', which is left out .choose both"
    with pytest.raises(SpecError, match=why):
        planned(tmp_path, change, request={"only": ("beside",)})
    assert planned(tmp_path, change, request={"only": ("first", "beside")})


@pytest.mark.parametrize(("late", "begins"), [(30, True), (31, False)])
def test_a_scheduled_run_begins_when_it_was_due_or_not_at_all(tmp_path, late, begins):
    """A machine that was asleep at night must not have its faults by day."""
    due = START - timedelta(minutes=late)
    if begins:
        assert planned(tmp_path, request={"due": due})
        return
    with pytest.raises(Postponed, match="it was due 31 minutes ago"):
        planned(tmp_path, request={"due": due})
