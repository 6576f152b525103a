"""`holdfast evidence reconcile`, with an Airflow that answers from a table."""

import json

import pytest
from typer.testing import CliRunner

from holdfast.cli import evidence, reconcile
from holdfast.clients.airflow_rest import DagRun
from holdfast.model.run import Run, RunState
from holdfast.settings import Settings
from holdfast.wiring import ports as wired

RUN = Run("s--r1", "s", "env", "ana", "sha256:p", "2026-01-01T00:00:00+00:00", 1.0,
          RunState.POSTPONED)


class Airflow:
    """Two runs of s that the deployment does not know, one with a fault; one that it knows."""

    def __init__(self, *_):
        """Logs nobody in."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def ended(self, suite):
        names = {"s": ["r1", "r2", "r3"], "gone": ["r4"]}.get(suite, [])
        return [DagRun(suite, name, "success") for name in names]

    def tasks(self, _suite, run):
        return {"plan": "success", "round_1.x.arm": "success" if run == "r2" else "failed"}


@pytest.fixture
def ports(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_EXPERIMENTS", str(tmp_path))
    monkeypatch.setattr(reconcile, "AirflowRest", Airflow)
    monkeypatch.setattr(reconcile, "connection", lambda *_: None)
    made = wired(Settings(tmp_path, tmp_path))
    made.books.open_run(RUN)
    (tmp_path / "gone.suite.yaml").touch()
    return made


def test_runs_of_airflow_are_those_of_suites_that_are_there_or_were(ports):
    assert {"s--r1": False, "s--r2": True, "s--r3": False, "gone--r4": False} == (
        reconcile.armed_in_airflow(ports))


def test_a_run_that_only_airflow_knows_is_told(ports):
    result = CliRunner().invoke(evidence.app, ["reconcile"])
    assert (1, True) == (result.exit_code, "E_RUN_NOT_IN_LOG s--r2" in result.stdout)
    told = json.loads(CliRunner().invoke(evidence.app, ["reconcile", "--json"]).stdout)
    assert {"s--r1", "s--r2"} == {t["where"] for t in told}
    alone = CliRunner().invoke(evidence.app, ["reconcile", "--no-airflow"])
    assert "1 missing between the log, books and journals" in alone.stdout
