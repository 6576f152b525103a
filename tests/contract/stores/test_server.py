"""A store that is a server: killed, frozen, misnamed, and told what PostgreSQL cannot write."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from holdfast.clients import processes
from holdfast.clients.connections import write_connection
from holdfast.errors import HoldfastError
from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.model.run import Entry, EntryKind
from holdfast.ports.leases import StoreDown
from holdfast.settings import Settings
from holdfast.stores import _server
from holdfast.stores._server import Server
from holdfast.stores.books import SqlBooks
from holdfast.stores.places import books_of, leases_of
from holdfast.stores.shared import SharedLeases
from support.leases import a_lease
from support.server import ID, StoreServer
from support.waiting import wait_for


@pytest.fixture
def settings(store_server: StoreServer, tmp_path: Path) -> Settings:
    store_server.clear()
    return store_server.settings(tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Iterator[SharedLeases]:
    made = leases_of(settings, busy_seconds=0.3)
    assert isinstance(made, SharedLeases)
    made.open(a_lease())
    yield made
    made.close()


def test_a_killed_server_is_a_store_down_until_it_is_back(store, store_server):
    store_server.stop()
    try:
        for _ in range(2):
            with pytest.raises(StoreDown, match="the store store_db: "):
                store.beat("lease-1")
    finally:
        store_server.start()
        wait_for(store_server.answers, 30)
    store.beat("lease-1")
    assert 1 == store.read("lease-1").beat


def test_a_frozen_server_is_hung_up_on(store, store_server, monkeypatch):
    monkeypatch.setattr(_server, "SILENT_SECONDS", 0.5)
    frozen = processes.working_in(str(store_server.folder))
    for process in frozen:
        processes.send(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StoreDown):
            store.read("lease-1")
        assert time.monotonic() - began < 5
    finally:
        for process in frozen:
            processes.send(process, signal.SIGCONT)
    assert LeaseState.OPENED is store.read("lease-1").state


def test_who_waits_for_a_lock_gives_up_and_a_frozen_holder_loses_it(store, settings):
    """A client that is stopped in mid-transaction may not stop everybody's renewals."""
    holder = Server(settings.connections, ID).open(5.0)
    try:
        holder.execute(f"SELECT pg_advisory_xact_lock({0x486F6C64})")
        with pytest.raises(StoreDown, match="lock timeout"):
            store.beat("lease-1")
        assert LeaseState.OPENED is store.read("lease-1").state  # readers do not wait

        def beats() -> bool:
            try:
                store.beat("lease-1")
            except StoreDown:
                return False
            return True

        wait_for(beats, 5)
        with pytest.raises(psycopg.Error, match="idle-in-transaction"):
            holder.execute("SELECT 1")
    finally:
        holder.close()


def test_text_that_postgresql_cannot_write_is_written_all_the_same(store, settings):
    """A lease whose detail cannot be stored would never be clean."""
    bad = "half \ud800, nothing \0, \N{SNOWMAN}"
    store.revoke("lease-1", Revocation(Reason.STOPPED, bad, "alice", "2026"))
    store.move("lease-1", LeaseState.CLEAN, detail=bad)
    row = store.read("lease-1")
    assert "half ?, nothing \N{REPLACEMENT CHARACTER}, \N{SNOWMAN}" == row.detail
    books = SqlBooks(books_of(settings))
    books.write(Entry("s--1", EntryKind.NOTICE, bad, {}))
    assert ["half ?, nothing \N{REPLACEMENT CHARACTER}, \N{SNOWMAN}"] == [
        e.name for e in books.read("s--1")]


@pytest.mark.parametrize(("change", "told"), [
    ({"password": "wrong"}, "password authentication failed"),
    ({"schema": "nowhere"}, 'database "nowhere" does not exist'),
    ({"conn_type": "http"}, "connection store_db is of type 'http'"),
    ({"port": 1}, "[Cc]onnection refused"),
])
def test_a_store_that_cannot_be_had_is_told_without_its_secret(
    settings, store_server, change, told
):
    write_connection(settings.connections, ID, {
        "conn_type": "postgres", "host": "127.0.0.1", "port": store_server.port,
        "login": "holdfast", "password": store_server.password, "schema": "holdfast",
    } | change)
    for ask in (leases_of(settings).environments, SqlBooks(books_of(settings)).runs):
        with pytest.raises(HoldfastError, match=told) as refused:
            ask()
        assert store_server.password not in str(refused.value)


def test_a_store_that_no_connection_names_is_told(settings):
    unknown = Settings(settings.home, settings.experiments, store="other_db")
    with pytest.raises(StoreDown, match="unknown connection 'other_db'"):
        leases_of(unknown).environments()
    with pytest.raises(HoldfastError, match="unknown connection 'other_db'"):
        SqlBooks(books_of(unknown)).runs()


def test_a_login_without_a_right_to_make_tables_is_told(settings, store_server):
    store_server.ask("REVOKE CREATE ON DATABASE holdfast FROM public, holdfast")
    store_server.ask("ALTER DATABASE holdfast OWNER TO postgres")
    try:
        with pytest.raises(HoldfastError, match="permission denied for database holdfast"):
            SqlBooks(books_of(settings)).runs()
    finally:
        store_server.ask("ALTER DATABASE holdfast OWNER TO holdfast")
        store_server.ask("GRANT CREATE ON DATABASE holdfast TO holdfast")
