"""Airflow's REST API as the command line uses it, against a transport that answers from a list."""

import json

import httpx
import pytest

from holdfast.clients.airflow_rest import AirflowRest, AirflowUnreachable, DagRun
from holdfast.clients.connections import Connection
from holdfast.errors import SpecError

WHERE = Connection("airflow_default", "http", "h", 1, "sre", "secret")
TOKEN = (201, {"access_token": "t"})
RUN = {"dag_id": "d", "dag_run_id": "r", "state": "queued"}


class Server(httpx.BaseTransport):
    """Answers in turn and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = [TOKEN, *answers], []

    def handle_request(self, request):
        self.asked.append((request.method, request.url.path))
        self.last = request
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        code, body = answer
        return httpx.Response(code, json=body)


def session(server):
    pauses = []
    return AirflowRest(WHERE, sleep=pauses.append, transport=server)


def test_it_logs_in_as_a_named_person_and_shows_its_token():
    server = Server((200, RUN))
    with session(server) as rest:
        rest.run("d", "r")
    assert ("POST", "/auth/token") == server.asked[0]
    assert "Bearer t" == server.last.headers["Authorization"]


def test_a_trigger_carries_the_choices():
    server = Server((200, RUN))
    with session(server) as rest:
        assert DagRun("d", "r", "queued") == rest.trigger("d", "r", {"dry_run": True})
    sent = json.loads(server.last.content)
    assert {"dag_run_id": "r", "logical_date": None, "conf": {"dry_run": True}} == sent


def test_a_busy_server_is_asked_again_and_no_second_run_comes_of_it():
    server = Server((500, {"detail": "Database error"}), (200, RUN), (200, RUN))
    with session(server) as rest:
        assert "r" == rest.trigger("d", "r", {}).id
    assert ["POST", "POST", "GET", "GET"] == [verb for verb, _ in server.asked]


def test_a_trigger_that_never_arrived_is_sent_again():
    server = Server((500, {}), (404, {"detail": "not found"}), (200, RUN))
    with session(server) as rest:
        assert "r" == rest.trigger("d", "r", {}).id
    assert ["POST", "POST", "GET", "POST"] == [verb for verb, _ in server.asked]


def test_a_trigger_that_was_only_slow_is_no_refusal_of_the_second():
    server = Server((500, {}), (404, {}), (409, {"detail": "Unique"}), (200, RUN), (200, RUN))
    with session(server) as rest:
        assert "r" == rest.trigger("d", "r", {}).id


def test_a_server_that_stays_busy_is_given_up():
    busy = [answer for _ in range(4) for answer in ((500, {}), (404, {}))]
    server = Server(*busy)
    with session(server) as rest, pytest.raises(AirflowUnreachable, match="500"):
        rest.trigger("d", "r", {})


def test_what_the_server_refuses_is_the_callers_mistake():
    server = Server((400, {"detail": "Invalid input for param experiments"}))
    with session(server) as rest, pytest.raises(SpecError, match="Invalid input for param"):
        rest.trigger("d", "r", {})


def test_a_server_that_does_not_answer_is_said_so_with_the_cure():
    with pytest.raises(AirflowUnreachable, match="holdfast up"):
        AirflowRest(WHERE, transport=Refusing()).__enter__()


class Refusing(httpx.BaseTransport):
    """Nobody listens."""

    def handle_request(self, request):
        raise httpx.ConnectError("refused", request=request)


def test_a_first_try_that_was_taken_after_all_is_no_conflict():
    server = Server((500, {}), (404, {}), (409, {"detail": "taken"}), (200, RUN), (200, RUN))
    with session(server) as rest:
        assert "r" == rest.trigger("d", "r", {}).id


def test_an_id_that_somebody_else_has_taken_is_a_conflict():
    server = Server((409, {"detail": "taken"}))
    with session(server) as rest, pytest.raises(SpecError, match="taken"):
        rest.trigger("d", "r", {})


ROW = {
    "subject": "May it?", "body": None, "params": {"plan": {"value": "sha256:1", "schema": {}}},
    "task_instance": {"dag_id": "d", "dag_run_id": "r", "task_id": "approval"},
}


def test_a_request_is_answered_with_the_fields_it_came_with():
    """S6: the digest that was shown comes back with the answer."""
    server = Server((200, {"hitl_details": [ROW]}), (200, {}))
    with session(server) as rest:
        (waiting,) = rest.waiting("d")
        rest.answer(waiting, "Approve", {"why": "ok"})
    assert ("PATCH", "/api/v2/dags/d/dagRuns/r/taskInstances/approval/-1/hitlDetails") == (
        server.asked[-1])
    assert {"chosen_options": ["Approve"], "params_input": {"plan": "sha256:1", "why": "ok"}} == (
        json.loads(server.last.content))


def test_runs_that_have_ended_are_read_page_by_page():
    page = [RUN | {"dag_run_id": f"r{n}", "state": "success"} for n in range(100)]
    server = Server((200, {"dag_runs": page}), (200, {"dag_runs": [
        RUN | {"dag_run_id": "r100", "state": "failed"}, RUN | {"dag_run_id": "r101"}]}))
    with AirflowRest(WHERE, transport=server) as airflow:
        found = airflow.ended("d")
    assert (101, DagRun("d", "r100", "failed")) == (len(found), found[-1])
    assert b"offset=100" in server.last.url.query


def test_a_suite_without_a_dag_has_no_runs():
    with AirflowRest(WHERE, transport=Server((404, {"detail": "no such DAG"}))) as airflow:
        assert [] == airflow.ended("d")
