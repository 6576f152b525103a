"""Workloads on a real Redis: what it forgets is named, what it keeps is valid (R6)."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.clients.connections import Connection, write_connection
from holdfast.clock import SystemClock
from holdfast.errors import SpecError
from holdfast.model.verdict import Verdict
from holdfast.settings import Settings
from holdfast.steps.book import suite_of
from holdfast.steps.check import check
from holdfast.steps.histories import Asked as Judged
from holdfast.steps.histories import read
from holdfast.steps.workloads import cannot_begin, start_workloads
from holdfast.stores.workloads import LocalWorkloads
from holdfast.workloads._pace import Pace
from holdfast.workloads._redis import OWNERS
from holdfast.workloads._run import Asked, run
from support import runs
from support.after import found
from support.redis import PASSWORD, RedisServer
from support.runs import RUN
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
PACE = Pace(rate=300.0, clients=8, seconds=2.0, isolation="serializable", pause=0.0)


@pytest.fixture
def server(tmp_path, request):
    made = RedisServer(tmp_path, **dict.fromkeys(getattr(request, "param", ()), True))
    made.start()
    yield made
    made.kill()


def sent(server, tmp_path, kind, meanwhile=lambda: None, pace=PACE):
    """Send a workload while something happens; how it ended, and what its history is."""
    history, ended = tmp_path / f"{kind}.jsonl", []
    sending = threading.Thread(target=lambda: ended.append(
        run(Asked(kind, 7, pace, history), server.entry, threading.Event(), SystemClock())))
    sending.start()
    try:
        meanwhile()
    finally:
        sending.join()
    return ended[0], history


@pytest.mark.parametrize("kind", ["set", "register"])
def test_what_a_redis_keeps_is_valid_and_nothing_is_left(server, tmp_path, kind):
    ended, history = sent(server, tmp_path, kind)
    assert ended.outcomes["ok"] > 200 and not ended.unread
    assert "valid" == read(Judged(history)).judge().outcome
    assert [] == server.keys()


def test_registers_change_only_if_they_hold_what_is_expected(server, tmp_path):
    _, history = sent(server, tmp_path, "register")
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    changes = [line["type"] for line in lines if line["f"] == "cas"]
    assert {"invoke", "ok", "fail"} == set(changes)


def killed(server):
    def act():
        time.sleep(0.8)
        server.kill()
        server.start()
    return act


def test_a_redis_that_forgets_loses_acknowledged_elements(server, tmp_path):
    _, history = sent(server, tmp_path, "set", killed(server))
    checked = read(Judged(history)).judge()
    assert "invalid" == checked.outcome
    assert len(checked.anomalies["lost"]) > 20
    assert [] == server.keys()


@pytest.mark.parametrize("server", [("durable",)], indirect=True)
@pytest.mark.parametrize("kind", ["set", "register"])
def test_a_redis_that_writes_each_command_to_the_disk_loses_none(server, tmp_path, kind):
    ended, history = sent(server, tmp_path, kind, killed(server))
    assert ended.outcomes["ok"] > 100
    assert "valid" == read(Judged(history)).judge().outcome


def test_a_redis_that_does_not_answer_leaves_it_open(server, tmp_path):
    """No answer within 4 s is no failure: the command may have been done."""
    def freeze():
        time.sleep(0.5)
        server.freeze(True)
        time.sleep(4.5)
        server.freeze(False)

    ended, history = sent(server, tmp_path, "set", freeze)
    assert ended.outcomes["info"] and not ended.unread
    assert "valid" == read(Judged(history)).judge().outcome


@pytest.mark.parametrize(("kind", "entry", "told"), [
    ("bank", {}, "a redis does not take the workload 'bank'.*set or register"),
    ("set", {"password": "wrong"}, "no place to write to.*a login that may write"),
    ("set", {"port": 1}, "no place to write to.*refused"),
    ("set", {"schema": "shop"}, "the database 'shop' is no number"),
    ("set", {"extra": {"ssl": "perhaps"}}, "ssl is 'perhaps'.*true or false"),
])
def test_what_cannot_begin_says_why_and_writes_nothing(server, tmp_path, kind, entry, told):
    link = Connection(**{"id": "cache", "type": "redis", "host": "127.0.0.1", "port": server.port,
                         "password": PASSWORD} | entry)
    with pytest.raises(SpecError) as refused:
        run(Asked(kind, 7, PACE, tmp_path / "h"), link, threading.Event(), SystemClock())
    assert re.search(told, str(refused.value), re.DOTALL), str(refused.value)
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("server", [("tls",)], indirect=True)
def test_a_redis_behind_tls_takes_it_from_whoever_trusts_its_authority(server, tmp_path):
    assert sent_here(server, tmp_path / "h").outcomes["ok"] > 200
    for extra in ({}, {"ssl": "false"}, {"ssl": True}):  # plain twice, then an unknown authority
        link = replace(server.entry, extra=extra)
        with pytest.raises(SpecError, match="no place to write to"):
            run(Asked("set", 7, PACE, tmp_path / "no"), link, threading.Event(), SystemClock())


@pytest.mark.parametrize(("option", "value"), [("--isolation", "serializable"), ("--pause", "1ms")])
def test_what_a_redis_does_not_know_is_refused(server, tmp_path, option, value):
    words = ["workload", "set", "--connection", "cache", "--history", str(tmp_path / "h")]
    done = subprocess.run(
        [Path(sys.executable).with_name("holdfast"), *words, option, value], text=True, check=False,
        env={"PATH": os.defpath, "HOLDFAST_HOME": str(tmp_path)}, capture_output=True)
    assert done.returncode and f"{option} is for a postgres" in done.stderr
    assert not (tmp_path / "h").exists()


def test_a_replica_is_no_place_to_write_to(server, tmp_path):
    server.ask("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(SpecError, match=r"no place to write to.*read only"):
        sent_here(server, tmp_path / "h")


def sent_here(server, history):
    return run(Asked("set", 7, PACE, history), server.entry, threading.Event(), SystemClock())


@pytest.fixture
def suite(server, tmp_path):
    """A run whose suite sends elements to this Redis, planned; nothing is sent yet."""
    sent = ("objectives:\n", "  workloads:\n    - {name: cached, kind: set, redis: cache, "
            "rate: 200}\nobjectives:\n")
    judged = ("  - {checker: lost_writes, history: orders}",
              "  - {checker: set_full, history: cached}")
    settings = Settings(tmp_path, tmp_path)
    ports = runs.planned(tmp_path, sent, judged, (", recovery_point: 0", ""),
                         settings=settings, workloads=LocalWorkloads(settings))
    yield ports
    ports.workloads.stop(RUN)


def test_a_suite_sends_it_and_judges_it(server, suite):
    assert [] == list(cannot_begin(suite, suite_of(suite, RUN)))
    start_workloads(suite, RUN)
    time.sleep(1.5)
    check(suite, RUN)
    finding = found(suite, "set_full")
    assert Verdict.HELD is finding.verdict, finding.text
    assert [] == server.keys()


def test_preflight_says_what_a_redis_lacks(server, suite, tmp_path):
    server.ask("REPLICAOF", "127.0.0.1", "1")
    def told():
        return "; ".join(cannot_begin(suite, suite_of(suite, RUN)))
    assert "workload cached: cache is a replica (connect its primary)" == told()
    server.kill()
    assert re.match("workload cached: connection cache: .*refused", told())
    write_connection(server.connections, "cache", {"conn_type": "http", "host": "127.0.0.1"})
    assert "of type 'http' (holdfast connect cache redis://HOST:PORT)" in told()


def test_after_sigkill_the_next_workload_sweeps(server, tmp_path):
    history = tmp_path / "killed.jsonl"
    environ = {"PATH": os.defpath, "HOLDFAST_HOME": str(tmp_path)}
    words = ["workload", "set", "--connection", "cache", "--history", str(history)]
    with subprocess.Popen([Path(sys.executable).with_name("holdfast"), *words], env=environ,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        wait_for(lambda: history.exists() and history.stat().st_size > 2000, 20)
        child.send_signal(signal.SIGKILL)
    assert 2 == len(server.keys())
    other = json.dumps({"host": "elsewhere", "boot": "b", "pid": 1, "start": 1})
    server.ask("HSET", OWNERS, "holdfast_workload_other:", other)
    sent_here(server, tmp_path / "next.jsonl")
    assert ["holdfast_workload_other:"] == server.ask("HKEYS", OWNERS)
    assert [OWNERS] == server.keys()
