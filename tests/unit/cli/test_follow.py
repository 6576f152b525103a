"""Following a run: time limit, Ctrl-C, an Airflow that falls silent, another file than asked."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.cli import follow
from holdfast.cli.follow import Follower, TimeLimit
from holdfast.cli.progress import Asked
from holdfast.clients.airflow_rest import AirflowUnreachable, DagRun, Waiting
from holdfast.errors import SpecError, Stopped
from holdfast.model.run import Entry, EntryKind
from holdfast.spec.load import LoadedSuite
from support.one_suite import SUITE
from support.ports import memory_ports


class FakeAirflow:
    """Answers from a list; the last answer stays. An exception in it is raised."""

    def __init__(self, *answers):
        self.answers, self.failed = list(answers), 0
        self.requests, self.answered = [], None

    def run(self, dag_id, run_id):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Signalled):
            signal.raise_signal(signal.SIGTERM)
        if isinstance(answer, str):
            return DagRun(dag_id, run_id, answer)
        raise answer

    def waiting(self, _dag_id):
        return self.requests

    def answer(self, waiting, option, fields):
        self.answered = (waiting.dag_run_id, option)

    def mark_failed(self, *_):
        self.failed += 1


class Signalled(Exception):
    """Stands for an answer during which SIGTERM arrives."""


@pytest.fixture(autouse=True)
def handlers():
    """Whoever follows takes the signals; give them back."""
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def told(monkeypatch):
    """Every stop that was asked for, as (who it was for, why)."""
    stops = []
    monkeypatch.setattr(follow, "stop", lambda _p, _w, why, run_id: stops.append((run_id, why)))
    return stops


@pytest.fixture
def following(tmp_path):
    def make(airflow, seconds=60):
        asked = Asked(
            LoadedSuite(SUITE, "sha256:1", Path("s.suite.yaml")), "r", timedelta(seconds=seconds)
        )
        ports = memory_ports(tmp_path)
        return ports, Follower(ports, airflow, asked)
    return make


@pytest.mark.parametrize("state", ["success", "failed"])
def test_a_run_that_ends_by_itself_is_not_stopped(following, told, state):
    _, follower = following(FakeAirflow("queued", "running", state))
    assert follower.to_the_end() is None
    assert [] == told


def test_the_time_limit_stops_the_run_once_and_waits_for_its_end(following, told):
    _, follower = following(FakeAirflow(*["running"] * 200, "failed"), seconds=5)
    assert isinstance(follower.to_the_end(), TimeLimit)
    assert [("s--r", "stopped: the time limit of 5 s is over")] == told


def test_ctrl_c_stops_the_run_and_waits_for_its_end(following, told):
    _, follower = following(FakeAirflow("running", KeyboardInterrupt(), "running", "failed"))
    assert isinstance(follower.to_the_end(), Stopped)
    assert [("s--r", "stopped by Ctrl-C or a signal")] == told


def test_a_second_ctrl_c_leaves_and_marks_the_run_failed(following, told):
    airflow = FakeAirflow("running", KeyboardInterrupt(), KeyboardInterrupt(), "running")
    _, follower = following(airflow)
    with pytest.raises(Stopped):
        follower.to_the_end()
    assert (1, 1) == (airflow.failed, len(told))


def test_a_sigterm_counts_as_ctrl_c(following, told):
    """A command that is ended must not leave its run to itself."""
    _, follower = following(FakeAirflow(Signalled(), "running", "failed"))
    assert isinstance(follower.to_the_end(), Stopped)


def test_an_airflow_that_is_away_for_a_while_is_waited_for(following, told):
    away = [AirflowUnreachable("no answer")] * 50
    _, follower = following(FakeAirflow("running", *away, "running", "success"))
    assert follower.to_the_end() is None
    assert [] == told


def test_an_airflow_that_stays_away_ends_the_wait(following, told):
    ports, follower = following(FakeAirflow(AirflowUnreachable("no answer")), seconds=3600)
    with pytest.raises(AirflowUnreachable):
        follower.to_the_end()
    assert follow.SILENT_SECONDS < ports.clock.passed < follow.SILENT_SECONDS + 2


@pytest.mark.parametrize(("digest", "stopped"), [("sha256:1", False), ("sha256:2", True)])
def test_a_run_of_another_version_of_the_file_is_stopped(following, told, digest, stopped):
    ports, follower = following(FakeAirflow("running", "running", "failed"))
    ports.books.write(Entry("s--r", EntryKind.SUITE, "s", {"digest": digest}))
    assert stopped == isinstance(follower.to_the_end(), SpecError)
    assert stopped == bool(told)


def test_whoever_leaves_a_run_that_waits_for_an_approval_takes_the_request_back(following, told):
    """S6: otherwise it would wait to its end for an answer that nobody needs."""
    airflow = FakeAirflow("running", KeyboardInterrupt(), "failed")
    airflow.requests = [Waiting("s", other, "approval", "", "", {}) for other in ("q", "r")]
    following(airflow)[1].to_the_end()
    assert ("r", "Reject") == airflow.answered


def test_a_request_that_cannot_be_taken_back_does_not_keep_the_stop_from_its_work(following, told):
    airflow = FakeAirflow("running", KeyboardInterrupt(), "failed")
    airflow.waiting = lambda _: (_ for _ in ()).throw(AirflowUnreachable("no answer"))
    assert isinstance(following(airflow)[1].to_the_end(), Stopped)
