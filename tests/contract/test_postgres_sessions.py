"""What the faults made of sessions do to a real server, and that the server limits them (F3)."""

import os
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from holdfast.errors import FaultError
from holdfast.faults.postgres import _sessions
from holdfast.faults.postgres.deadlock import DRIVER as DEADLOCK
from holdfast.faults.postgres.exhaust_connections import DRIVER as EXHAUST
from holdfast.faults.postgres.lock_storm import DRIVER as LOCK_STORM
from holdfast.faults.postgres.long_transaction import DRIVER as LONG
from holdfast.faults.postgres.slow_queries import DRIVER as SLOW
from holdfast.faults.postgres.terminate_connections import DRIVER as TERMINATE
from holdfast.model.fault import Recipe
from holdfast.ports.faults import FaultDriver
from support.faults import Bench
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("sessions")]
HELD = {
    "postgres.lock_storm": LOCK_STORM, "postgres.exhaust_connections": EXHAUST,
    "postgres.slow_queries": SLOW, "postgres.long_transaction": LONG, "postgres.deadlock": DEADLOCK,
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("bench"))
    yield bench
    bench.stop()


@pytest.fixture
def on(bench: Bench) -> Iterator["On"]:
    begun = On(bench)
    yield begun
    for driver, recipe in begun.faults:
        driver.revert(recipe)
    wait_for(lambda: not bench.suffering())


class On:
    """Faults that are on until the test ends."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.faults: list[tuple[FaultDriver, Recipe]] = []

    def __call__(self, name: str, driver: FaultDriver, **params: object) -> Recipe:
        recipe = driver.arm(self._bench.fault(name, driver.params, **params), "L-1")
        self.faults.append((driver, recipe))
        driver.inject(recipe)
        return recipe


def client(bench: Bench) -> psycopg.Connection[tuple[object, ...]]:
    """A session of the plain role that gives up soon when it has to wait for a lock."""
    return psycopg.connect(
        host="127.0.0.1", port=bench.pair.a.port, user="app", password=bench.password,
        dbname="postgres", autocommit=True, options="-c lock_timeout=100",
    )


@pytest.mark.parametrize("name", HELD)
def test_the_server_itself_ends_a_session_that_nobody_reverts(
    name: str, bench: Bench, on: On, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3: the limit on the target's side, for a keeper's host that is gone."""
    monkeypatch.setattr(_sessions, "_MARGIN", -3.5)  # of a fault of 5 s
    recipe = on(name, HELD[name])
    assert HELD[name].residue(recipe)
    wait_for(lambda: not HELD[name].residue(recipe), 8.0)


def test_readers_of_a_locked_table_wait_and_others_do_not(bench: Bench, on: On) -> None:
    with closing(client(bench)) as reader:
        on("postgres.lock_storm", LOCK_STORM)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            reader.execute("SELECT count(*) FROM rows")
        assert reader.execute("SELECT count(*) FROM pages").fetchone() == (5000,)


def test_newcomers_wait_behind_a_lock_that_is_not_granted_yet(bench: Bench, on: On) -> None:
    with closing(client(bench)) as first, closing(client(bench)) as newcomer:
        first.execute("BEGIN")
        first.execute("SELECT count(*) FROM rows")
        recipe = on("postgres.lock_storm", LOCK_STORM)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            newcomer.execute("SELECT count(*) FROM rows")
        LOCK_STORM.revert(recipe)
        assert newcomer.execute("SELECT count(*) FROM rows").fetchone()


def test_an_unknown_table_is_refused_by_name(bench: Bench) -> None:
    fault = bench.fault("postgres.lock_storm", LOCK_STORM.params, table="orders; DROP TABLE rows")
    with pytest.raises(FaultError, match="no table"):
        LOCK_STORM.targets(fault)


def test_a_plain_role_gets_no_connection_and_a_superuser_does(bench: Bench, on: On) -> None:
    on("postgres.exhaust_connections", EXHAUST)
    with pytest.raises(psycopg.OperationalError, match="remaining connection slots are reserved"):
        client(bench)
    assert bench.pair.ask(bench.pair.a, "SELECT 1") == 1


def test_a_connection_that_becomes_free_is_taken_too(bench: Bench, on: On) -> None:
    one = client(bench)
    recipe = on("postgres.exhaust_connections", EXHAUST)
    before = held(bench, recipe)
    one.close()
    wait_for(lambda: held(bench, recipe) == before + 1)
    with pytest.raises(psycopg.OperationalError, match="remaining connection slots are reserved"):
        client(bench)


def test_used_up_connections_are_refused_at_arm(bench: Bench, on: On) -> None:
    on("postgres.exhaust_connections", EXHAUST)
    with pytest.raises(FaultError, match="bench_db/a: its connections are used up already"):
        EXHAUST.targets(bench.fault("postgres.exhaust_connections", {}))


def test_a_core_of_this_host_stays_free(bench: Bench) -> None:
    fault = bench.fault("postgres.slow_queries", SLOW.params, sessions=os.cpu_count())
    with pytest.raises(FaultError, match="one core stays free"):
        SLOW.targets(fault)


def test_dead_rows_stay_while_a_transaction_is_open(bench: Bench, on: On) -> None:
    recipe = on("postgres.long_transaction", LONG)
    bench.pair.ask(bench.pair.a, "DELETE FROM rows WHERE key = 'row-1'")
    assert dead_rows(bench) > 0
    LONG.revert(recipe)
    assert dead_rows(bench) == 0
    bench.pair.ask(bench.pair.a, "INSERT INTO rows VALUES ('row-1')")


def test_the_server_counts_deadlocks_until_the_revert(bench: Bench, on: On) -> None:
    before = deadlocks(bench)
    recipe = on("postgres.deadlock", DEADLOCK)
    wait_for(lambda: deadlocks(bench) > before + 2, 15)
    DEADLOCK.revert(recipe)
    wait_for(lambda: not DEADLOCK.residue(recipe))


def test_a_table_without_two_rows_has_no_deadlock(bench: Bench) -> None:
    bench.pair.ask(bench.pair.a, "CREATE TABLE single AS SELECT 1 AS n")
    fault = bench.fault("postgres.deadlock", DEADLOCK.params, table="single")
    with pytest.raises(FaultError, match="single has fewer than two rows"):
        DEADLOCK.targets(fault)
    bench.pair.ask(bench.pair.a, "DROP TABLE single")


def test_clients_are_ended_once_and_the_standby_goes_on(bench: Bench, on: On) -> None:
    senders = "SELECT string_agg(pid::text, ',') FROM pg_stat_replication"
    before = bench.pair.ask(bench.pair.a, senders)
    one = client(bench)
    recipe = on("postgres.terminate_connections", TERMINATE)
    with pytest.raises(psycopg.OperationalError):
        one.execute("SELECT 1")
    with closing(client(bench)) as back:
        TERMINATE.inject(recipe)
        assert back.execute("SELECT 1").fetchone() == (1,)
    assert before == bench.pair.ask(bench.pair.a, senders)


def test_clients_that_do_not_come_back_are_residue(bench: Bench, on: On) -> None:
    recipe = on("postgres.terminate_connections", TERMINATE, patience=0.0)
    with pytest.raises(FaultError, match="no client of bench_db/a has connected again"):
        TERMINATE.revert(recipe)
    wait_for(lambda: not TERMINATE.residue(recipe))


def held(bench: Bench, recipe: Recipe) -> int:
    named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    return int(bench.pair.ask(bench.pair.a, named, recipe.undo["mark"]))


def deadlocks(bench: Bench) -> int:
    return int(bench.pair.ask(bench.pair.a, "SELECT sum(deadlocks) FROM pg_stat_database"))


def dead_rows(bench: Bench) -> int:
    bench.pair.ask(bench.pair.a, "VACUUM rows")
    question = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'rows'"
    return int(bench.pair.ask(bench.pair.a, question))
