"""What is special to a store of leases that is a file."""

import sqlite3

import pytest

from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.ports.leases import StoreDown
from holdfast.stores.live import SqliteLeases
from support.leases import armed, opened

BREACH = Revocation(Reason.BREACH, "p95 is 700ms", "guard", "2026-01-01", {"p95": 0.7}, 12.5)
STOP = Revocation(Reason.STOPPED, "enough", "alice", "2026-01-01")


@pytest.fixture
def store(tmp_path):
    made = SqliteLeases(tmp_path / "home" / "live.db", busy_seconds=0.2)
    yield made
    made.close()


def test_a_locked_store_is_down_after_the_busy_time(store, tmp_path):
    armed(store)
    other = sqlite3.connect(tmp_path / "home" / "live.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        store.beat("lease-1")
    assert LeaseState.ARMED is store.read("lease-1").state  # readers do not wait for writers
    other.close()
    store.beat("lease-1")


def test_a_store_that_is_rubbish_is_down(store, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "live.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StoreDown):
        store.read("lease-1")


def test_without_create_a_missing_store_is_down(tmp_path):
    with pytest.raises(StoreDown):
        SqliteLeases(tmp_path / "live.db", create=False).read("lease-1")
    assert [] == list(tmp_path.iterdir())


def test_a_replaced_file_is_read_anew(store, tmp_path):
    armed(store)
    for name in ("live.db", "live.db-wal", "live.db-shm"):
        (tmp_path / "home" / name).unlink(missing_ok=True)
    with pytest.raises(KeyError):
        store.read("lease-1")


def test_a_newer_schema_is_refused(store, tmp_path):
    opened(store)
    store.close()
    db = sqlite3.connect(tmp_path / "home" / "live.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreDown, match="newer"):
        store.read("lease-1")


def test_the_file_is_for_its_owner_only(store, tmp_path):
    opened(store)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "home").iterdir()}
    assert {0o600} == set(modes.values())
    assert 0o700 == (tmp_path / "home").stat().st_mode & 0o777
