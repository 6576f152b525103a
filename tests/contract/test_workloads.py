"""Workloads on a real PostgreSQL: what holds is valid, and each seeded bug is named (R6 X2).

The bugs are triggers in the workload's own schema: the server acknowledges what it does not do.
"""

import json
import os
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from holdfast.clients.connections import connection
from holdfast.clients.host import boot_id, host_name
from holdfast.clients.postgres import Cluster
from holdfast.clock import SystemClock
from holdfast.errors import SpecError
from holdfast.ports.workloads import Unanswered
from holdfast.steps.histories import Asked as Judged
from holdfast.steps.histories import read
from holdfast.workloads._pace import Pace
from holdfast.workloads._run import WORKLOADS, Asked, run
from holdfast.workloads._schema import PREFIX, share_lock
from holdfast.workloads._session import Session
from support.server import ID, StoreServer
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
SECONDS = 2.5
SCHEMAS = f"SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, '{PREFIX}')"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = StoreServer(tmp_path_factory.mktemp("workloads") / "data")
    made.build()
    yield made
    made.stop()


@pytest.fixture
def entry(server, tmp_path):
    settings = server.settings(tmp_path / "home")
    return connection(settings.connections, ID)


@pytest.fixture
def load(server, entry, tmp_path):
    """Send a workload while `bug` is there; what its history is judged to be."""
    def act(kind, isolation="serializable", bug="", **options):
        history, stop = tmp_path / f"{kind}.jsonl", threading.Event()
        pace = Pace(rate=400.0, clients=8, seconds=SECONDS, isolation=isolation, pause=0.002)
        begun = []
        sending = threading.Thread(target=lambda: begun.append(
            run(Asked(kind, 7, pace, history), entry, stop, SystemClock())))
        sending.start()
        try:
            if bug:
                wait_for(lambda: server.ask(SCHEMAS), 5)
                plant(server, bug)
        finally:
            sending.join()
        assert 0 == server.ask(SCHEMAS), "its schema is left"
        assert begun and begun[0].outcomes["ok"] > 40
        return read(Judged(history, "", "", options)).judge()
    return act


def plant(server, bug):
    """Once half of the time is over, a bug in the schema of the workload that is there."""
    name = server.ask(SCHEMAS.replace("count(*)", "nspname"))
    tables = f"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{name}'"
    wait_for(lambda: server.ask(tables), 5)
    body = bug.replace("SCHEMA", name)
    table, _, trigger = body.partition(":")
    server.ask(f"CREATE FUNCTION {name}.bug() RETURNS trigger LANGUAGE plpgsql AS "
               f"$$ BEGIN {trigger} END $$")
    server.ask(f"CREATE TRIGGER bug BEFORE INSERT OR UPDATE ON {name}.{table} "
               f"FOR EACH ROW EXECUTE FUNCTION {name}.bug()")


@pytest.mark.parametrize("kind", WORKLOADS)
def test_what_a_serializable_database_did_is_valid(load, kind):
    checked = load(kind)
    assert "valid" == checked.outcome, checked.text


@pytest.mark.parametrize(("kind", "isolation", "anomalies"), [
    pytest.param("rw_register", "read-committed", {"lost-update", "G-single"}, id="lost-update"),
    pytest.param("list_append", "read-committed", {"G-single", "G-nonadjacent", "G2-item"},
                 id="read-skew"),
    pytest.param("list_append", "repeatable-read", {"G2-item", "G-nonadjacent"}, id="write-skew"),
    pytest.param("bank", "read-committed", {"wrong-total", "unexplained"}, id="money"),
])
def test_a_weak_isolation_is_found_out_and_named(load, kind, isolation, anomalies):
    checked = load(kind, isolation)
    found = {name for name, places in checked.anomalies.items() if places}
    assert "invalid" == checked.outcome, checked.text
    assert any(name.startswith(wanted) for name in found for wanted in anomalies), found


@pytest.mark.parametrize(("kind", "bug", "anomalies"), [
    pytest.param("set", "elements: IF NEW.element % 20 = 7 THEN RETURN NULL; END IF; RETURN NEW;",
                 {"lost"}, id="an-acknowledged-write-is-dropped"),
    pytest.param("bank", "accounts: IF random() < 0.1 AND NEW.balance > 1 THEN "
                 "NEW.balance := NEW.balance - 1; END IF; RETURN NEW;",
                 {"wrong-total", "unexplained"}, id="money-leaks"),
    pytest.param("list_append", "lists: IF TG_OP = 'UPDATE' AND random() < 0.05 THEN "
                 "RETURN OLD; END IF; RETURN NEW;", {"G-single", "G2", "incompatible-order", "G0"},
                 id="an-append-is-dropped"),
    pytest.param("list_append", "lists: IF TG_OP = 'UPDATE' AND random() < 0.05 THEN "
                 "NEW.elements := NEW.elements || NEW.elements[1]; END IF; RETURN NEW;",
                 {"duplicate-elements"}, id="an-append-is-done-twice"),
    pytest.param("rw_register", "registers: IF TG_OP = 'UPDATE' AND random() < 0.05 THEN "
                 "RETURN OLD; END IF; RETURN NEW;", {"lost-update", "G-single", "G2"},
                 id="an-update-is-lost"),
    pytest.param("register", "registers: IF TG_OP = 'UPDATE' AND random() < 0.1 THEN "
                 "NEW.value := OLD.value; END IF; RETURN NEW;", {"nonlinearizable"},
                 id="a-write-shows-the-old-value"),
])
def test_a_seeded_bug_is_found_and_named(load, kind, bug, anomalies):
    checked = load(kind, bug=bug)
    found = {name for name, places in checked.anomalies.items() if places}
    assert "invalid" == checked.outcome, checked.text
    assert any(name.startswith(wanted) for name in found for wanted in anomalies), found


@pytest.fixture
def standby_is_away(server):
    """Every COMMIT waits for a standby that never comes."""
    server.ask("CREATE TABLE public.waits (n int)")
    server.ask("GRANT ALL ON public.waits TO holdfast")
    server.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.ask("SELECT pg_reload_conf()")
    wait_for(lambda: server.ask("SHOW synchronous_standby_names") == "nobody")
    yield
    server.ask("ALTER SYSTEM RESET synchronous_standby_names")
    server.ask("SELECT pg_reload_conf()")
    wait_for(lambda: not server.ask("SHOW synchronous_standby_names"))
    server.ask("DROP TABLE public.waits")


def test_a_commit_that_no_standby_has_is_not_acknowledged(server, entry, standby_is_away):
    """The server says COMMIT all the same, with a warning, when its wait is cancelled."""
    def cancel():
        wait_for(lambda: server.ask(f"SELECT count(pg_cancel_backend(pid)) {waiting}"), 3)

    waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'holdfast'"
    session = Session(Cluster(entry), "public", Pace(1, 1, 1, "serializable", 0.0), SystemClock())
    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    try:
        with pytest.raises(Unanswered, match="canceling wait for synchronous"):
            session.transact(lambda ask: ask("INSERT INTO waits VALUES (1)"))
    finally:
        cancelling.join()
        session.close()


def command(home, *words):
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "holdfast"), "workload", *words], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "HOLDFAST_HOME": str(home), "COLUMNS": "300"},
    )


@pytest.fixture
def ledger(tmp_path, entry):
    """The words of a workload that goes on for long."""
    history = tmp_path / "ledger.jsonl"
    return history, ("list_append", "--connection", entry.id, "--history", str(history),
                     "--rate", "200", "--for", "60s")


def lines(history):
    return history.read_bytes().count(b"\n") if history.exists() else 0


def test_sigterm_reads_everything_back_and_leaves_nothing(server, ledger, tmp_path):
    history, words = ledger
    with command(tmp_path / "home", *words) as sending:
        wait_for(lambda: lines(history) > 100, 20)
        sending.send_signal(signal.SIGTERM)
        said, wrong = sending.communicate(timeout=30)
    assert (0, "", 0) == (sending.returncode, wrong, server.ask(SCHEMAS))
    assert f"judge it: holdfast check {history}" in said
    rows = [json.loads(line) for line in history.read_text().splitlines()]
    assert all(op[0] == "r" for op in rows[-1]["value"]) and rows[-1]["type"] == "ok"
    assert "valid" == read(Judged(history)).judge().outcome


def test_after_sigkill_the_history_can_be_read_and_the_next_sweeps(server, ledger, load, tmp_path):
    history, words = ledger
    with command(tmp_path / "home", *words) as sending:
        wait_for(lambda: lines(history) > 100, 20)
        sending.kill()
    assert 1 == server.ask(SCHEMAS)
    assert "invalid" != read(Judged(history)).judge().outcome
    load("set")  # asserts that no schema is left


def test_a_schema_that_is_none_of_ours_is_not_swept(server, load):
    server.ask(f"CREATE SCHEMA {PREFIX}precious")
    try:
        with pytest.raises(AssertionError, match="its schema is left"):
            load("set")
    finally:
        server.ask(f"DROP SCHEMA {PREFIX}precious")


def test_a_schema_that_some_session_still_uses_is_not_swept(server, entry, load):
    """A clone or a container has this host's name, and other processes."""
    name = f"{PREFIX}used"
    left_behind(server, name)
    with psycopg.connect(Cluster(entry).anywhere("read-write")) as elsewhere:
        assert share_lock(elsewhere, name)
        with pytest.raises(AssertionError, match="its schema is left"):
            load("set")
    load("register")  # asserts that no schema is left


def test_a_schema_that_cannot_be_dropped_is_told_and_keeps_no_other(server, entry, load, caplog):
    name = f"{PREFIX}foreign"
    left_behind(server, name, owner="postgres")
    try:
        with pytest.raises(AssertionError, match="its schema is left"):
            load("set")
    finally:
        server.ask(f"DROP SCHEMA {name}")
    assert f"schema {name} of a workload that was killed is left: must be owner" in caplog.text


def left_behind(server, name, owner="holdfast"):
    """The schema of a workload of this host that is there no more."""
    server.ask(f"CREATE SCHEMA {name} AUTHORIZATION {owner}")
    told = json.dumps({"host": host_name(), "boot": boot_id(), "pid": 1, "start": 0})
    server.ask(f"COMMENT ON SCHEMA {name} IS '{told}'")


def test_nobody_waits_for_a_commit_that_no_standby_has(
    server, entry, standby_is_away, tmp_path, monkeypatch
):
    """The schema's own COMMIT; a frozen primary answers as little."""
    monkeypatch.setattr("holdfast.workloads._schema._LIMIT_SECONDS", 1.0)
    pace, begun = Pace(10.0, 1, 1.0, "serializable", 0.0), time.monotonic()
    try:
        with pytest.raises(SpecError, match="no place to write"):
            run(Asked("set", 1, pace, tmp_path / "h.jsonl"), entry, threading.Event(),
                SystemClock())
    finally:
        server.ask("ALTER SYSTEM RESET synchronous_standby_names")
        server.ask("SELECT pg_reload_conf()")
        wait_for(lambda: server.ask(SCHEMAS))
        server.ask(f"DROP SCHEMA {server.ask(SCHEMAS.replace('count(*)', 'nspname'))} CASCADE")
    assert (True, False) == (time.monotonic() - begun < 20, (tmp_path / "h.jsonl").exists())


def test_a_pooler_that_drops_a_sessions_settings_is_refused(server, entry, tmp_path):
    """Its writes would go to the user's own tables, in another isolation."""
    pace = Pace(10.0, 1, 1.0, "serializable", 0.0)
    with Pooler(server.port) as pooler, pytest.raises(SpecError, match="a pooler drops it"):
        there = replace(entry, port=pooler.port)
        run(Asked("set", 1, pace, tmp_path / "h.jsonl"), there, threading.Event(), SystemClock())
    assert 0 == server.ask(SCHEMAS), "its schema is left"
    assert [] == [line for line in (tmp_path / "h.jsonl").read_text().splitlines()
                  if json.loads(line)["type"] == "ok"]


class Pooler(socketserver.ThreadingTCPServer):
    """Passes everything on to the server but `options`, as PgBouncer can be told to."""

    daemon_threads = True

    def __init__(self, behind):
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind, self.port = behind, self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Passing(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(("127.0.0.1", self.server.behind)) as server:
            server.sendall(self._startup(server))
            threading.Thread(target=self._pass_on, args=(server, self.request), daemon=True).start()
            self._pass_on(self.request, server)

    def _startup(self, server):
        """The client's first message that is not a wish for TLS, less its options."""
        while True:
            (size,) = struct.unpack("!i", self.request.recv(4, socket.MSG_WAITALL))
            body = self.request.recv(size - 4, socket.MSG_WAITALL)
            if len(body) > 4:
                break
            server.sendall(struct.pack("!i", size) + body)
            self.request.sendall(server.recv(1))
        words = body[4:].rstrip(b"\0").split(b"\0")
        kept = [w for pair in zip(words[::2], words[1::2], strict=True) for w in pair
                if pair[0] != b"options"]
        body = body[:4] + b"".join(word + b"\0" for word in kept) + b"\0"
        return struct.pack("!i", len(body) + 4) + body

    @staticmethod
    def _pass_on(source, sink):
        with suppress(OSError):
            while told := source.recv(65536):
                sink.sendall(told)
            sink.shutdown(socket.SHUT_WR)


def test_a_login_that_may_not_create_is_told_the_cure(server, entry, tmp_path):
    server.ask("REVOKE CREATE ON DATABASE holdfast FROM PUBLIC, holdfast")
    server.ask("ALTER DATABASE holdfast OWNER TO postgres")
    try:
        pace = Pace(10.0, 1, 1.0, "serializable", 0.0)
        with pytest.raises(SpecError, match=r"no place to write.*GRANT CREATE ON DATABASE"):
            run(Asked("set", 1, pace, tmp_path / "h.jsonl"), entry, threading.Event(),
                SystemClock())
    finally:
        server.ask("ALTER DATABASE holdfast OWNER TO holdfast")


@pytest.mark.parametrize(("words", "told"), [
    (("queue",), "unknown workload 'queue'"),
    (("set", "--isolation", "snapshot"), "one of read-committed, repeatable-read, serializable"),
    (("set", "--for", "soon"), "--for"),
    (("set", "--connection", "nowhere"), "unknown connection 'nowhere'"),
])
def test_a_wrong_word_is_told_with_its_cure(entry, tmp_path, words, told):
    kind, *rest = words
    known = ("--connection", entry.id, "--history", str(tmp_path / "h.jsonl"), *rest)
    with command(tmp_path / "home", kind, *known) as asked:
        _, wrong = asked.communicate(timeout=30)
    assert (2, True) == (asked.returncode, told in wrong), wrong
    assert "Traceback" not in wrong
