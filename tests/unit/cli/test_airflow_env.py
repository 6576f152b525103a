"""What `holdfast up` gives to Airflow: loopback only, secrets closed, two checkouts apart."""

import json
import stat

import pytest

from holdfast.cli.airflow_env import COMMANDS, Lab, write_private
from holdfast.settings import Settings


@pytest.fixture
def lab(tmp_path):
    return Lab(Settings(home=tmp_path / "state", experiments=tmp_path / "experiments"))


def test_files_with_secrets_are_for_their_owner_only(lab):
    lab.prepare(8080)
    secret = [lab.spec, lab.passwords, lab.folder / "secrets.json"]
    assert [0o600] * 3 == [stat.S_IMODE(file.stat().st_mode) for file in secret]


def test_passwords_and_keys_stay_the_same_at_the_next_start(lab):
    first = lab.prepare(8080)
    passwords = lab.passwords.read_text()
    assert first == lab.prepare(8080)
    assert passwords == lab.passwords.read_text()


def test_the_three_addresses_of_the_api_server_move_together(lab):
    environment = lab.prepare(9123)
    assert "9123" == environment["AIRFLOW__API__PORT"]
    assert "http://127.0.0.1:9123" == environment["AIRFLOW__API__BASE_URL"]
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:9123/")


def test_nothing_listens_beyond_loopback(lab):
    environment = lab.prepare(8080)
    assert "127.0.0.1" == environment["AIRFLOW__API__HOST"]
    assert all("--skip-serve-logs" in COMMANDS[name] for name in ("scheduler", "triggerer"))


def test_the_environment_is_made_new_and_inherits_nothing(lab, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "Other")
    environment = lab.prepare(8080)
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "LocalExecutor" == environment["AIRFLOW__CORE__EXECUTOR"]


def test_airflow_has_the_store_that_the_command_line_has(tmp_path):
    made = Lab(Settings(tmp_path / "state", tmp_path / "experiments", store="holdfast_store"))
    assert "holdfast_store" == made.prepare(8080)["HOLDFAST_STORE"]


def test_tasks_of_a_scheduler_that_died_are_looked_for_soon(lab):
    """Airflow looks every 300 s; back within 30 s of its death it would find them only then."""
    assert "20" == lab.prepare(8080)["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"]


def test_our_own_metrics_are_a_target_of_the_shops_prometheus(lab):
    """V1: served on loopback at a port that was free."""
    lab.target.parent.mkdir(parents=True)
    lab.prepare(8080)
    (group,) = json.loads(lab.target.read_text())
    argv = json.loads(lab.spec.read_text())["processes"][-1]["argv"]
    assert [f"127.0.0.1:{argv[-1]}"] == group["targets"]
    assert ["metrics", "--serve"] == argv[1:3]


def test_a_shop_that_comes_later_is_told_of_them_too(lab):
    lab.prepare(8080)
    lab.target.parent.mkdir(parents=True)
    lab.announce()
    (group,) = json.loads(lab.target.read_text())
    assert [f"127.0.0.1:{lab.metrics_port()}"] == group["targets"]


def test_without_a_shop_nobody_is_told_of_our_metrics(lab):
    lab.prepare(8080)
    assert not lab.target.exists()


def test_the_supervisor_runs_the_four_commands_the_janitor_and_the_metrics(lab):
    lab.prepare(8080)
    spec = json.loads(lab.spec.read_text())
    names = [process["name"] for process in spec["processes"]]
    airflow = ["api-server", "scheduler", "dag-processor", "triggerer"]
    assert [*airflow, "janitor", "metrics"] == names


def test_one_person_triggers_and_another_approves(lab):
    """S6: four eyes; who is new gets a password, the others keep theirs."""
    lab.prepare(8080)
    old = json.loads(lab.passwords.read_text())
    write_private(lab.passwords, {"sre": old["sre"]})
    users = lab.prepare(8080)["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"]
    assert "admin:admin,sre:user,approver:user" == users
    new = json.loads(lab.passwords.read_text())
    assert (old["sre"], {"admin", "sre", "approver"}) == (new["sre"], set(new))
