"""S6: the task that waits for a person, with Airflow's side of it told what to do."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from holdfast.errors import EvidenceError
from holdfast.model.run import RunState
from holdfast.model.verdict import Verdict
from holdfast.provider.operators.approval import ApprovePlanOperator, _given
from holdfast.steps.approval import signed_answer
from support.approvals import digest, irreversible, needs_approval
from support.runs import RUN

LEAD = {"id": "7", "name": "lead"}


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """What Airflow was asked to show, each time."""
    requests = []
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail",
        lambda **request: requests.append(request),
    )
    return requests


@pytest.fixture
def operator():
    return ApprovePlanOperator(task_id="approval", wait=timedelta(minutes=10))


def context(ports, monkeypatch):
    monkeypatch.setattr("holdfast.provider.wiring.ports", lambda: ports)
    suite, _, run_id = RUN.partition("--")
    dag_run = SimpleNamespace(dag_id=suite, run_id=run_id, run_type="manual",
                              triggering_user_name="sre")
    return {"dag_run": dag_run, "params": {}, "task_instance": SimpleNamespace(id="ti")}


def answered(option, who=LEAD, **fields):
    return {"chosen_options": [option], "params_input": fields, "responded_by_user": who,
            "timedout": who is None}


def asks(operator, at):
    with pytest.raises(TaskAwaitingInput) as waits:
        ApprovePlanOperator.execute.__wrapped__(operator, at)
    return waits.value


@pytest.mark.parametrize(("told", "at"), [
    ("2026-01-01T02:00:00+00:00", datetime(2026, 1, 1, 2, tzinfo=UTC)),
    (datetime(2026, 1, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 2, tzinfo=UTC)),
    (datetime(2026, 1, 1, 2), None), ("soon", None), (None, None)])
def test_when_an_answer_was_given_is_airflows_word(told, at):
    assert at == _given(answered("Approve") | {"responded_at": told}).at


def test_it_shows_the_plan_and_waits(tmp_path, monkeypatch, shown, operator):
    ports = needs_approval(tmp_path)
    waits = asks(operator, context(ports, monkeypatch))
    (request,) = shown
    assert ("execute_complete", ["Approve", "Reject"], ["Reject"]) == (
        waits.method_name, request["options"], request["defaults"])
    assert digest(ports) == request["params"]["plan"]["value"]
    assert ["plan", "why"] == list(request["params"])
    assert digest(ports) in request["body"]


def test_what_cannot_be_undone_has_to_be_named(tmp_path, monkeypatch, shown, operator):
    ports = needs_approval(tmp_path, drivers=irreversible())
    asks(operator, context(ports, monkeypatch))
    assert "they must be named: second" in shown[0]["params"]["naming"]["description"]


def test_a_yes_lets_the_run_go_on(tmp_path, monkeypatch, shown, operator):
    ports = needs_approval(tmp_path)
    at = context(ports, monkeypatch)
    asks(operator, at)
    yes = answered("Approve", plan=digest(ports), why="  ok\n")
    assert operator.execute_complete(at, yes) is None
    assert "approved by lead: ok" == str(signed_answer(ports, RUN))


@pytest.mark.parametrize(("event", "reason"), [
    (answered("Reject"), "refused by lead"),
    (answered("Reject", None), "nobody has answered within 600s"),
    ({"error": "the time is over", "error_type": "timeout"}, "nobody has answered"),
])
def test_anything_else_postpones_the_run(tmp_path, monkeypatch, operator, event, reason):
    ports = needs_approval(tmp_path)
    at = context(ports, monkeypatch)
    asks(operator, at)
    with pytest.raises(AirflowSkipException, match=reason):
        operator.execute_complete(at, event)
    assert RunState.POSTPONED is ports.books.run(RUN).state


@pytest.mark.parametrize("event", [
    answered("Approve", {"id": "1", "name": "sre"}), answered("Approve", plan="sha256:0"),
    answered("Approve", plan=["?"]),
])
def test_a_yes_that_does_not_count_is_asked_for_again(
    tmp_path, monkeypatch, shown, operator, event
):
    """Four eyes, and this very plan; the wait is not begun anew."""
    ports = needs_approval(tmp_path)
    at = context(ports, monkeypatch)
    asks(operator, at)
    with pytest.raises(TaskAwaitingInput):
        operator.execute_complete(at, event)
    assert (2, None) == (len(shown), signed_answer(ports, RUN))


def test_nobody_is_asked_where_nobody_need_be(tmp_path, monkeypatch, shown, operator):
    ports = needs_approval(tmp_path, "{from_impact: 100}")
    at = context(ports, monkeypatch)
    assert ApprovePlanOperator.execute.__wrapped__(operator, at) is None
    assert [] == shown


def test_a_dry_run_asks_nobody(tmp_path, monkeypatch, shown, operator):
    ports = needs_approval(tmp_path)
    monkeypatch.setattr("holdfast.provider.operators.approval.is_dry", lambda *_: True)
    at = context(ports, monkeypatch)
    assert ApprovePlanOperator.execute.__wrapped__(operator, at) is None


def test_an_answer_that_cannot_be_signed_closes_the_run(tmp_path, monkeypatch, shown, operator):
    """No verdict task runs after it; without evidence there is no fault."""
    ports = needs_approval(tmp_path)
    at = context(ports, monkeypatch)
    asks(operator, at)
    monkeypatch.setattr(ports.notary, "append", _full)
    with pytest.raises(AirflowFailException, match="disk full"):
        operator.execute_complete(at, answered("Approve", plan=digest(ports)))
    run = ports.books.run(RUN)
    assert (RunState.ENDED, Verdict.UNKNOWN) == (run.state, run.verdict)


def _full(*_, **__):
    raise EvidenceError("disk full")


def test_an_answer_to_a_run_that_is_over_changes_nothing(
    tmp_path, monkeypatch, shown, operator
):
    """The janitor had closed it, for nobody had answered in time."""
    from dataclasses import replace

    ports = needs_approval(tmp_path)
    at = context(ports, monkeypatch)
    asks(operator, at)
    ports.books.close_run(replace(ports.books.run(RUN), state=RunState.POSTPONED, reason="late"))
    with pytest.raises(AirflowSkipException, match="late"):
        operator.execute_complete(at, answered("Approve", plan=digest(ports)))
    ended = replace(ports.books.run(RUN), state=RunState.ENDED, verdict=Verdict.UNKNOWN)
    ports.books.close_run(ended)
    assert operator.execute_complete(at, answered("Approve")) is None
    assert ApprovePlanOperator.execute.__wrapped__(operator, at) is None
    assert signed_answer(ports, RUN) is None
