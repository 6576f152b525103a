"""May the run start? Every reason at once, and nothing touched (S3)."""

import os
import socket
import subprocess
from dataclasses import replace

import pytest

from holdfast.clients.connections import write_connection
from holdfast.errors import EvidenceError, Postponed, SpecError
from holdfast.model.fault import Recipe
from holdfast.model.lease import LeaseState
from holdfast.model.run import Run, RunState
from holdfast.steps.preflight import preflight
from support import suites
from support.leases import a_fault
from support.ports import FakeDriver, FakeMetrics
from support.runs import RUN, WELL, lease, planned


def reasons(ports) -> str:
    with pytest.raises(Postponed) as refused:
        preflight(ports, RUN)
    return refused.value.reason


def test_a_run_may_start_when_all_is_well(tmp_path):
    preflight(planned(tmp_path), RUN)


def test_prometheus_down_postpones_and_names_each_objective(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics(otherwise="connection refused"))
    assert (
        "objective errors has no data: connection refused; "
        "objective latency has no data: connection refused"
    ) == reasons(ports)


def test_an_unknown_prometheus_connection_postpones(tmp_path):
    def metrics(connection_id: str):
        raise SpecError(f"unknown connection '{connection_id}'")

    assert "Prometheus: unknown connection 'prometheus_default'" in reasons(
        planned(tmp_path, metrics=metrics)
    )


def test_a_window_of_a_burn_rate_that_has_no_data_postpones(tmp_path):
    """S3: the guard would find out only when the fault is due."""
    change = (f'{{prometheus: "{suites.ERRORS}"}}', "{prometheus: 'e[$window]', window: 10s}")
    rate = ('"> 60% for 4s"', '"> 2x over 1h and 5m"')
    metrics = FakeMetrics(WELL | {"e[10s]": 0.0, "e[300s]": 0.0})
    assert (
        "objective errors has no data for its burn rate: no series (e[3600s])"
    ) == reasons(planned(tmp_path, change, rate, metrics=metrics))


def test_a_target_that_went_away_since_the_plan_postpones(tmp_path):
    ports = planned(tmp_path)
    ports.drivers["kill"].refuse = "connection refused"
    assert "second: api: connection refused" == reasons(ports)


def test_a_connection_that_went_away_since_the_plan_postpones(tmp_path):
    def gone(fault):
        raise SpecError("unknown connection 'shop_proxy'")

    ports = planned(tmp_path)
    ports.drivers["latency"].targets = gone
    assert "beside: unknown connection 'shop_proxy'" == reasons(ports)


def test_nothing_to_hit_postpones(tmp_path):
    ports = planned(tmp_path)
    ports.drivers["latency"].targets = lambda fault: []
    assert "beside: there is nothing to hit" == reasons(ports)


def test_a_second_run_on_one_environment_is_postponed(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", "nightly--1")
    assert "environment staging is busy: run nightly--1 has it" == reasons(ports)


def test_a_held_environment_postpones(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", RUN)
    ports.leases.stop(None, hold="maintenance")
    assert "environment staging is held: maintenance" == reasons(ports)


@pytest.mark.parametrize("state", sorted(set(LeaseState) - {LeaseState.CLEAN}))
def test_a_lease_of_another_run_that_is_not_clean_postpones(tmp_path, state):
    ports = planned(tmp_path)
    ports.leases.rows["old"] = lease(id="old", run_id="nightly--1", state=state)
    assert f"lease old of run nightly--1 is {state}, not clean" == reasons(ports)


def test_leases_of_this_run_and_clean_ones_do_not_matter(tmp_path):
    ports = planned(tmp_path)
    ports.leases.rows["mine"] = lease(id="mine", state=LeaseState.OPENED)
    ports.leases.rows["old"] = lease(id="old", run_id="nightly--1")
    preflight(ports, RUN)


@pytest.mark.parametrize(("change", "told"), [
    (lambda file: file.write_text(file.read_text() + "\n"), "has changed since the plan was made"),
    (lambda file: file.unlink(), "cannot be read: No such file"),
])
def test_a_suite_file_that_changed_postpones(tmp_path, change, told):
    ports = planned(tmp_path)
    change(tmp_path / "checkout.suite.yaml")
    assert told in reasons(ports)


def test_a_workload_that_writes_no_history_postpones(tmp_path):
    ports = planned(tmp_path)
    (tmp_path / "shop/history/orders.jsonl").unlink()
    assert "history orders has no file shop/history/orders.jsonl" in reasons(ports)


@pytest.fixture
def prometheus(tmp_path):
    """A child of this process that listens where the guard's Prometheus should."""
    server = socket.create_server(("127.0.0.1", 0))
    with server, subprocess.Popen(["sleep", "60"], pass_fds=[server.fileno()]) as child:
        port = server.getsockname()[1]
        write_connection(tmp_path / "connections.json", "prometheus_default",
                         {"conn_type": "http", "host": "127.0.0.1", "port": port})
        yield child.pid
        child.kill()


@pytest.mark.parametrize("tree", ["itself", "its-parent"])
def test_a_target_that_carries_the_guards_prometheus_postpones(tmp_path, prometheus, tree):
    """S3: whatever the pid file is called, such as a supervisor's."""
    ports = planned(tmp_path)
    file = tmp_path / "shop/run/api-1.pid"
    file.parent.mkdir()
    file.write_text(f"{prometheus if tree == 'itself' else os.getpid()}\n")
    told = "the target carries the guard's own Prometheus"
    assert f"first: {told}; second: {told}" == reasons(ports)


@pytest.mark.parametrize("content", [b"9" * 5000, b"\xff"])
def test_a_pid_file_without_a_pid_is_left_to_the_driver(tmp_path, prometheus, content):
    ports = planned(tmp_path)
    file = tmp_path / "shop/run/api-1.pid"
    file.parent.mkdir()
    file.write_bytes(content)
    preflight(ports, RUN)


@pytest.mark.parametrize("host", ["127.0.0.1", "metrics.example"])
def test_a_tree_without_the_guards_prometheus_may_be_hit(tmp_path, prometheus, host):
    ports = planned(tmp_path)
    file = tmp_path / "shop/run/api-1.pid"
    file.parent.mkdir()
    if host != "127.0.0.1":
        entry = {"conn_type": "http", "host": host, "port": 9090}
        write_connection(tmp_path / "connections.json", "prometheus_default", entry)
        file.write_text(f"{prometheus}\n")
        preflight(ports, RUN)
        return
    with subprocess.Popen(["sleep", "60"]) as stranger:
        file.write_text(f"{stranger.pid}\n")
        preflight(ports, RUN)
        stranger.kill()


def test_every_reason_is_named_at_once(tmp_path):
    ports = planned(tmp_path, metrics=FakeMetrics({suites.ERRORS: 0.0}))
    ports.drivers["hang"].refuse = "no pid file"
    ports.leases.lock("staging", "nightly--1")
    assert 3 == len(reasons(ports).split("; "))


def test_a_key_that_cannot_be_used_is_no_reason_to_wait_but_an_evidence_error(tmp_path):
    ports = planned(tmp_path)
    ports.notary.broken = "others may read the key file"
    with pytest.raises(EvidenceError, match="others may read") as refused:
        preflight(ports, RUN)
    assert 6 == refused.value.exit_code


def test_what_a_person_left_out_is_not_looked_at(tmp_path):
    ports = planned(tmp_path, request={"only": ("first",)}, metrics=FakeMetrics(WELL))
    ports.drivers["kill"].refuse = "connection refused"
    preflight(ports, RUN)


def test_what_a_dead_keeper_left_behind_is_reverted_before_the_checks(tmp_path):
    """S3: the janitor runs before every run."""
    driver = FakeDriver(marks={"old"})
    ports = planned(tmp_path)
    ports = replace(ports, drivers={**ports.drivers, "noop": driver})
    left = lease(id="old", run_id="nightly--1", state=LeaseState.ACTIVE)
    ports.leases.rows["old"] = left
    ports.journals.create(left, a_fault(tmp_path), Recipe("old", "noop", {"mark": "old"}))
    ports.journals.open("old").write(LeaseState.INJECTING)
    preflight(ports, RUN)
    assert (set(), LeaseState.CLEAN) == (driver.marks, ports.leases.read("old").state)


@pytest.mark.parametrize(("state", "passes"), [
    (RunState.ENDED, True), (RunState.POSTPONED, True), (RunState.STARTED, False),
])
def test_a_lock_is_taken_back_only_from_a_run_that_is_over(tmp_path, state, passes):
    ports = planned(tmp_path)
    ports.leases.lock("staging", "nightly--1")
    run = Run("nightly--1", "nightly", "staging", "sre", "sha256:0", "", 0.0, state)
    ports.books.open_run(run)
    if passes:
        preflight(ports, RUN)
    else:
        assert "environment staging is busy: run nightly--1 has it" == reasons(ports)
