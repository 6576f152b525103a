"""A suite's workloads as processes of their own on a real PostgreSQL, judged in the end (R6 X2)."""

import json
import os
import signal
from pathlib import Path

import pytest

from holdfast.cli.lab import stop as stop_everything
from holdfast.clients.processes import look, same
from holdfast.errors import FaultError, HoldfastError, Postponed
from holdfast.model.verdict import Verdict
from holdfast.model.workload import WorkloadSpec
from holdfast.steps.check import check
from holdfast.steps.histories import Asked, read
from holdfast.steps.preflight import preflight
from holdfast.steps.seal import seal
from holdfast.steps.verdict import close
from holdfast.steps.workloads import start_workloads
from holdfast.stores.workloads import LocalWorkloads
from holdfast.workloads._schema import PREFIX
from support import runs
from support.after import found
from support.runs import RUN
from support.server import ID, StoreServer
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]
SCHEMAS = f"SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, '{PREFIX}')"
LEDGER = WorkloadSpec.model_validate(
    {"name": "ledger", "kind": "list_append", "postgres": ID, "rate": 200.0})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = StoreServer(tmp_path_factory.mktemp("workloads") / "data")
    made.build()
    yield made
    made.stop()


@pytest.fixture
def workloads(server, tmp_path):
    made = LocalWorkloads(server.settings(tmp_path / "home"))
    yield made
    made.stop(RUN)


@pytest.fixture
def suite(server, tmp_path):
    """A run whose suite has this workload, planned; nothing is sent yet."""
    made = []

    def act(more=""):
        settings = server.settings(tmp_path / "home")
        sent = ("objectives:\n", "  workloads:\n    - {name: ledger, kind: list_append, "
                f"postgres: {ID}, rate: 300, {more}}}\nobjectives:\n")
        judged = ("  - {checker: lost_writes, history: orders}",
                  "  - {checker: list_append, history: ledger}")
        ports = runs.planned(settings.home, sent, judged, (", recovery_point: 0", ""),
                             settings=settings, workloads=LocalWorkloads(settings))
        made.append(ports)
        return ports
    yield act
    for ports in made:
        ports.workloads.stop(RUN)


def lines(workloads):
    file = workloads.history(RUN, "ledger")
    return file.read_bytes().count(b"\n") if file.exists() else 0


def pid_of(workloads, run=RUN):
    return int(workloads.history(run, "ledger").with_suffix(".pid").read_text().split()[0])


def test_when_all_goes_down_it_goes_too(server, workloads, tmp_path):
    """Nothing that Holdfast began is left by `holdfast down`."""
    workloads.start(RUN, LEDGER, 60.0)
    workloads.start("another--run", LEDGER, 60.0)
    processes = [look(pid_of(workloads)), look(pid_of(workloads, "another--run"))]
    assert all(processes)
    stop_everything(server.settings(tmp_path / "home"))
    assert [None, None] == [same(p.pid, p.start) for p in processes]


def test_it_outlives_who_asked_and_reads_all_back_when_it_is_stopped(server, workloads):
    workloads.start(RUN, LEDGER, 60.0)
    process = look(pid_of(workloads))
    assert process.session not in (os.getsid(0), process.pid)
    wait_for(lambda: lines(workloads) > 200, 20)
    assert workloads.ended(RUN, "ledger") is None
    workloads.stop(RUN)
    ended = workloads.ended(RUN, "ledger")
    assert (True, 0, "") == (ended.is_told, ended.unread, ended.error)
    assert ended.last >= 1 and ended.outcomes["ok"] > 50
    assert (None, 0) == (look(process.pid), server.ask(SCHEMAS))


def test_nobody_need_stop_it(server, workloads):
    """The machine that triggered the run may be gone."""
    workloads.start(RUN, LEDGER, 1.5)
    wait_for(lambda: workloads.ended(RUN, "ledger"), 30)
    assert not workloads.ended(RUN, "ledger").is_told
    assert 0 == server.ask(SCHEMAS)


def test_one_that_was_killed_has_no_last_word_and_the_next_sweeps(server, workloads):
    workloads.start(RUN, LEDGER, 60.0)
    wait_for(lambda: lines(workloads) > 50, 20)
    os.kill(pid_of(workloads), signal.SIGKILL)
    workloads.stop(RUN)
    assert (None, 1) == (workloads.ended(RUN, "ledger"), server.ask(SCHEMAS))
    workloads.start(RUN, LEDGER, 60.0)
    workloads.stop(RUN)
    assert 0 == server.ask(SCHEMAS)


def test_one_that_hangs_is_killed_in_time(workloads, monkeypatch):
    monkeypatch.setattr("holdfast.stores.workloads.STOP_SECONDS", 1.0)
    workloads.start(RUN, LEDGER, 60.0)
    pid = pid_of(workloads)
    os.kill(pid, signal.SIGSTOP)
    workloads.stop(RUN)
    assert (None, None) == (look(pid), workloads.ended(RUN, "ledger"))


def test_why_it_did_not_begin_is_told(workloads):
    with pytest.raises(FaultError, match=r"workload ledger: .*unknown connection 'nowhere'"):
        workloads.start(RUN, LEDGER.model_copy(update={"postgres": "nowhere"}), 60.0)


def test_a_run_is_held_when_what_was_sent_is_right(suite):
    ports = suite()
    preflight(ports, RUN)
    start_workloads(ports, RUN)
    wait_for(lambda: lines(ports.workloads) > 400, 20)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert Verdict.HELD is finding.verdict, finding.text
    seal(ports, RUN)
    kept = {a.name: a for a in ports.artefacts.of(RUN)}
    again = read(Asked(ports.artefacts.path(kept["history-ledger.jsonl"])))
    assert ("valid", 1) == (again.judge().outcome, again.about.seed)


def test_a_run_is_broken_when_its_isolation_is_too_weak_and_the_witness_is_kept(suite):
    ports = suite("isolation: read-committed")
    start_workloads(ports, RUN)
    wait_for(lambda: lines(ports.workloads) > 1500, 30)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert Verdict.BROKEN is finding.verdict, finding.text
    (kept,) = [a for a in ports.artefacts.of(RUN) if a.name == "list_append-ledger.json"]
    told = json.loads(Path(ports.artefacts.path(kept)).read_text())
    assert told["anomalies"] and told["details"]["witnesses"]


def test_a_run_whose_workload_died_is_not_held_and_leaves_nothing(server, suite):
    ports = suite()
    start_workloads(ports, RUN)
    wait_for(lambda: lines(ports.workloads) > 400, 20)
    os.kill(pid_of(ports.workloads), signal.SIGKILL)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert Verdict.UNKNOWN is finding.verdict
    assert "the workload died" in finding.text
    start_workloads(ports, RUN)  # sweeps; and the run ends before anything is checked
    with pytest.raises(HoldfastError):
        close(ports, RUN)
    assert 0 == server.ask(SCHEMAS)


def test_a_database_that_waits_for_no_standby_postpones_who_asks_for_one(server, suite):
    with pytest.raises(Postponed, match="does not wait for a standby"):
        preflight(suite("synchronous: true"), RUN)
    server.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.ask("SELECT pg_reload_conf()")
    try:
        wait_for(lambda: server.ask("SHOW synchronous_standby_names") == "nobody")
        preflight(suite("synchronous: true"), RUN)
    finally:
        server.ask("ALTER SYSTEM RESET synchronous_standby_names")
        server.ask("SELECT pg_reload_conf()")
        wait_for(lambda: not server.ask("SHOW synchronous_standby_names"))
