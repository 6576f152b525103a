"""approve and withdraw at the terminal, on real stores; Airflow answers from a list (S6)."""

import pytest
from typer.testing import CliRunner

from holdfast import wiring
from holdfast.cli import approve as module
from holdfast.cli.main import app
from holdfast.clients.airflow_rest import Waiting
from holdfast.clients.connections import write_connection
from holdfast.errors import HoldfastError
from holdfast.model.lease import LeaseState
from holdfast.settings import Settings
from holdfast.steps.approval import Given, answer, ask
from holdfast.steps.book import plan_of
from holdfast.steps.plan import PlanRequest, plan
from support.airflow import suite_text

RUN = "asked--manual_1"
HERE = {"conn_type": "http", "host": "127.0.0.1", "port": 1, "login": "sre", "password": "x"}


class FakeAirflow:
    """Knows who is logged in; an answer reaches the run as Airflow's task would bring it."""

    def __init__(self, ports, requests):
        self.ports, self.requests = ports, requests

    def __call__(self, where):
        self.who = where.login, where.password
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return

    def waiting(self, _dag_id):
        return self.requests

    def answer(self, _waiting, option, fields):
        self.said = option, fields
        given = Given(option == "Approve", self.who[0], plan_of(self.ports, RUN)["digest"],
                      why=fields["why"])
        try:
            answer(self.ports, RUN, given)
        except HoldfastError:
            return


def request(run_id="manual:1", **fields):
    return Waiting("asked", run_id, "approval", "May asked break nowhere?", "| Plan |", fields)


@pytest.fixture
def ports(tmp_path, monkeypatch):
    """A run that waits."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    made = wiring.ports(Settings(home=tmp_path, experiments=tmp_path))
    file = tmp_path / "asked.suite.yaml"
    file.write_text(suite_text("asked", "approval: {from_impact: 0}"))
    write_connection(made.settings.connections, "airflow_default", HERE)
    plan(made, PlanRequest(RUN, file, triggered_by="sre"))
    ask(made, RUN)
    return made


@pytest.fixture
def airflow(ports, monkeypatch):
    fake = FakeAirflow(ports, [request("another"), request()])
    monkeypatch.setattr(module, "AirflowRest", fake)
    return fake


def run(*words, typed="secret\ny\n"):
    return CliRunner().invoke(app, words, input=typed)


def test_a_named_person_reads_the_request_and_approves_it(airflow):
    done = run("approve", RUN, "--as", "lead", "--why", "agreed")
    assert 0 == done.exit_code, done.output
    assert (("lead", "secret"), "Approve") == (airflow.who, airflow.said[0])
    assert "May asked break nowhere?\n\n| Plan |" in done.stdout
    assert "signed as record 2: approved by lead: agreed" in done.stdout


def test_a_person_refuses(airflow):
    done = run("approve", RUN, "--as", "lead", "--refuse", typed="secret\n")
    assert (0, "Reject") == (done.exit_code, airflow.said[0])
    assert "refused by lead" in done.stdout


def test_who_does_not_say_yes_has_said_nothing(airflow):
    assert 1 == run("approve", RUN, "--as", "lead", typed="secret\nn\n").exit_code
    assert not hasattr(airflow, "said")


def test_what_cannot_be_undone_is_named_where_the_request_asks_for_it(airflow):
    airflow.requests = [request(naming="")]
    run("approve", RUN, "--as", "lead", "--naming", "wipe")
    assert {"why": "", "naming": "wipe"} == airflow.said[1]


def test_a_run_that_waits_for_nothing_says_so(airflow):
    airflow.requests = []
    done = run("approve", RUN, "--as", "lead")
    assert (2, True) == (done.exit_code, "waits for no approval" in done.output)


def test_an_answer_that_does_not_count_is_not_told_as_one(airflow, monkeypatch):
    """`sre` triggered it: Airflow takes the answer, the run does not."""
    monkeypatch.setattr(module, "_ANSWERED_SECONDS", 0.01)
    done = run("approve", RUN, "--as", "sre")
    assert (1, True) == (done.exit_code, "sre has triggered the run" in done.output)


def test_an_approval_is_withdrawn_by_name(ports):
    answer(ports, RUN, Given(True, "lead", plan_of(ports, RUN)["digest"]))
    done = run("withdraw", RUN, "--by", "lead", "--why", "complaints")
    assert (0, "withdrawn; 0 faults ended, all clean\n") == (done.exit_code, done.stdout)
    assert "withdrawn by lead (as " in str(module.signed_answer(ports, RUN))


def test_a_withdrawal_says_what_is_not_clean(ports, monkeypatch):
    ends = {"1": LeaseState.UNCLEAN, "2": LeaseState.CLEAN}
    monkeypatch.setattr("holdfast.steps.withdraw.withdraw", lambda *_: ends)
    done = run("withdraw", RUN, "--why", "complaints")
    assert (5, True) == (done.exit_code, "lease 1: unclean" in done.stdout)


def test_a_withdrawal_gives_its_reason(ports):
    assert 2 == run("withdraw", RUN).exit_code
