"""stop, status and release at the terminal, on real stores (S5)."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from holdfast import wiring
from holdfast.cli.main import app
from holdfast.model.lease import Lease
from holdfast.model.run import Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.settings import Settings

run = CliRunner().invoke


@pytest.fixture
def ports(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    return wiring.ports(Settings(home=tmp_path, experiments=tmp_path))


def _lease(environment):
    return Lease("1", "s--r", 0, "a", environment, "noop", "api", "h", "b", 0, 5.0, 5.0, 0.0,
                 "2026-01-01T00:00:00+00:00")


def test_stop_wants_to_know_what(ports):
    done = run(app, ["stop"])
    assert (2, True) == (done.exit_code, "say which run to stop, or --all" in done.output)


def test_stop_of_a_run_that_is_not_there_names_the_latest(ports):
    ports.books.open_run(Run("s--1", "s", "e", "sre", "d", "2026-01-01T00:00:00", 0.0))
    done = run(app, ["stop", "s--2"])
    assert (2, True) == (done.exit_code, "no run 's--2' (the latest: s--1)" in done.output)


def test_stop_all_with_nothing_on_says_so(ports):
    done = run(app, ["stop", "--all"])
    assert (0, "0 faults ended, all clean\n") == (done.exit_code, done.output)


def test_a_hold_refuses_new_faults_until_it_is_released(ports):
    ports.leases.lock("shop", "s--r")
    run(app, ["stop", "--all", "--hold", "incident 7"])
    assert "incident 7" == ports.leases.environment("shop").hold
    assert "incident 7" == ports.leases.environment("never-used-yet").hold
    assert 3 == run(app, ["release", "shop"]).exit_code
    assert 0 == run(app, ["release", "--all"]).exit_code
    assert "" == ports.leases.environment("shop").hold


def test_releasing_one_environment_leaves_the_hold_of_another(ports):
    for name in ("shop", "bank"):
        ports.leases.lock(name, f"{name}--r")
        ports.books.open_run(Run(f"{name}--r", name, name, "sre", "d", "2026-01-01T00:00:00", 0.0))
        run(app, ["stop", f"{name}--r", "--hold", "incident"])
    assert 0 == run(app, ["release", "shop"]).exit_code
    assert ("", "incident") == tuple(ports.leases.environment(n).hold for n in ("shop", "bank"))


def test_release_wants_to_know_what(ports):
    assert 2 == run(app, ["release"]).exit_code


def test_releasing_what_is_not_held_is_an_error(ports):
    done = run(app, ["release", "nowhere"])
    assert (2, True) == (done.exit_code, "'nowhere' is not held" in done.output)


def test_a_lock_of_a_run_that_is_gone_can_be_given_back(ports):
    ports.leases.lock("shop", "s--r")
    assert 2 == run(app, ["release", "shop"]).exit_code
    assert 0 == run(app, ["release", "shop", "--lock"]).exit_code
    assert "" == ports.leases.environment("shop").locked_by


def test_a_lock_is_kept_while_a_lease_is_not_clean(ports):
    ports.leases.lock("shop", "s--r")
    ports.leases.open(_lease("shop"))
    assert 5 == run(app, ["release", "shop", "--lock"]).exit_code
    assert "s--r" == ports.leases.environment("shop").locked_by


def test_status_before_anything_says_so(ports):
    assert "no fault has been armed here yet\n" == run(app, ["status"]).output


def test_a_folder_that_is_no_deployment_is_refused_and_left_as_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv("HOLDFAST_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    done = run(app, ["status"])
    assert (2, True) == (done.exit_code, "no deployment here" in done.output)
    assert [] == list(tmp_path.iterdir())


def test_status_shows_leases_and_environments(ports):
    ports.leases.lock("shop", "s--r")
    ports.leases.open(_lease("shop"))
    shown = run(app, ["status"]).output
    assert "opened" in shown
    assert "environment shop: epoch 0, not held, run s--r" in shown


def test_evidence_lists_a_held_run_as_held_with_its_whole_id(ports):
    name = "a-suite-with-a-long-name--manual__2026-01-01T00_00_00_123456_00_00"
    ports.books.open_run(Run(name, "s", "e", "sre", "d", "2026-01-01T00:00:00", 0.0))
    ports.books.close_run(replace(
        ports.books.run(name), state=RunState.ENDED, verdict=Verdict.HELD,
    ))
    shown = run(app, ["evidence", "list"]).output
    assert name in shown
    assert "HELD" in shown
