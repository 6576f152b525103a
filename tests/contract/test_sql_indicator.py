"""A SELECT as an indicator, on a real server: it reads one number and can do nothing else (S4)."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from holdfast.clients import processes
from holdfast.clients.connections import Connection
from holdfast.clients.sql_probe import SqlTalker
from holdfast.clock import SystemClock
from holdfast.model.indicator import Indicator
from support.pair import Pair

pytestmark = pytest.mark.system
ROLES = {
    "watcher": "", "busy": "", "shared": "", "boss": "SUPERUSER", "maker": "CREATEROLE",
    "signaller": "IN ROLE pg_signal_backend", "reader": "IN ROLE pg_read_server_files",
    "heir": "IN ROLE boss",
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    folder.chmod(0o755)
    pair = Pair(folder)
    try:
        pair.build()
        for name, rights in ROLES.items():
            pair.ask(pair.a, f"CREATE ROLE {name} LOGIN PASSWORD '{pair.password}' {rights}")
        pair.ask(pair.a, "GRANT ALL ON rows TO watcher")
        pair.ask(pair.a, "CREATE SEQUENCE numbers")
        pair.ask(pair.a, "GRANT ALL ON numbers TO watcher")
        yield pair
    finally:
        pair.stop()


def talker(pair: Pair, login: str, nodes: str = "a", role: str = "") -> SqlTalker:
    listed = [{"name": n, "host": "127.0.0.1", "port": getattr(pair, n).port} for n in nodes]
    extra = {"nodes": listed, "role": role}
    return SqlTalker(
        Connection("db", "postgres", "127.0.0.1", 0, login, pair.password, "", extra), SystemClock()
    )


def ask(pair: Pair, *queries: str, login: str = "watcher", **at: str):
    async def go():
        asked = talker(pair, login, **at)
        found = [await asked.ask(Indicator(sql="db", query=query)) for query in queries]
        await asked.close()
        return found
    return asyncio.run(go())


@pytest.mark.parametrize(("query", "value"), [
    ("SELECT 7", 7.0), ("SELECT 0 + 3 -- all of them", 3.0), ("SELECT 2.5::numeric;", 2.5),
    ("WITH n AS (SELECT 3 AS x) SELECT x FROM n", 3.0), ("SELECT 'Infinity'::float8", float("inf")),
])
def test_one_number_is_the_value(pair, query, value):
    (found,) = ask(pair, query)
    assert not found.why
    assert value == found.value


@pytest.mark.parametrize(("query", "why"), [
    ("SELECT 1 WHERE false", "the query gives no number"), ("SELECT NULL::int", "no number"),
    ("SELECT 'NaN'::float8", "the value is not a number"),
    ("SELECT 1, 2", "subquery must return only one column"),
    ("SELECT generate_series(1, 1000000000)", "more than one row"),
    ("SELECT true", "cannot cast type boolean"), ("SELECT 'x'", "invalid input syntax"),
    ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
    ("SELECT pg_sleep(30)::text", "canceling statement due to statement timeout"),
    ("SELECT 1); DROP TABLE rows; SELECT (1", "cannot insert multiple commands"),
    ("SELECT nextval('numbers')", "cannot execute nextval() in a read-only transaction"),
    ("SELECT 1 FROM rows FOR UPDATE", "cannot execute SELECT FOR UPDATE in a read-only"),
    ("WITH gone AS (DELETE FROM rows RETURNING 1) SELECT 1", "must be at the top level"),
    ("SELECT lo_create(0)::int", "read-only"),
    ("SELECT set_config('transaction_read_only', 'off', true)::int",
     "transaction read-write mode must be set before any query"),
    ("SELECT pg_read_file('/etc/hostname')", "permission denied"),
])
def test_anything_else_is_no_data_and_says_why(pair, query, why):
    (found,) = ask(pair, query)
    assert found.value is None
    assert why in found.why


def test_what_a_query_sets_or_locks_is_gone_with_it(pair):
    """A session serves many questions: none may leave anything behind for the next."""
    found = ask(
        pair, "SELECT count(set_config('statement_timeout', '0', false))",
        "SELECT count(*) FROM pg_advisory_lock(7)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'",
    )
    assert [1.0, 1.0, 0.0, 1000.0] == [sample.value for sample in found]


@pytest.mark.parametrize(("login", "power"), [
    ("postgres", "superuser"), ("boss", "superuser"), ("heir", "superuser"),
    ("maker", "createrole"), ("signaller", "pg_signal_backend"),
    ("reader", "pg_read_server_files"),
])
def test_a_login_that_may_do_more_than_read_is_refused(pair, login, power):
    """READ ONLY stops no pg_terminate_backend."""
    (found,) = ask(pair, "SELECT 1", login=login)
    assert f"db: the login has the rights of {power} (give the guard a login" in found.why


def test_a_login_that_others_use_is_refused(pair):
    """Its own sessions a login may always end."""
    import psycopg

    with psycopg.connect(host="127.0.0.1", port=pair.a.port, user="busy", password=pair.password,
                         dbname="postgres", application_name="shop-api"):
        (found,) = ask(pair, "SELECT 1", login="busy")
    assert "others use the login busy too, such as shop-api: a query could end" in found.why
    (said,) = ask(pair, "SELECT 1", login="shared", role="shared")
    assert "others use the login shared too" in said.why


def test_of_several_nodes_the_one_that_takes_writes_is_asked(pair):
    (found,) = ask(pair, "SELECT pg_is_in_recovery()::int", nodes="ba")
    assert 0.0 == found.value


def test_one_session_serves_all_questions_and_is_opened_again(pair):
    async def go():
        asked = talker(pair, "watcher")
        pid = Indicator(sql="db", query="SELECT pg_backend_pid()")
        one, two = await asyncio.gather(asked.ask(pid), asked.ask(pid))
        pair.ask(pair.a, "SELECT pg_terminate_backend(%s)", int(one.value))
        lost, back = await asked.ask(pid), await asked.ask(pid)
        await asked.close()
        return one.value == two.value, lost.value, back.value != one.value

    assert asyncio.run(go()) == (True, None, True)


def test_a_server_that_hangs_is_given_up_and_comes_back(pair):
    async def go():
        asked = talker(pair, "watcher")
        one = Indicator(sql="db", query="SELECT pg_backend_pid()")
        backend = processes.look(int((await asked.ask(one)).value))
        processes.send(backend, signal.SIGSTOP)
        lost = await asyncio.wait_for(asked.ask(one), 10)
        processes.send(backend, signal.SIGCONT)
        back = await asked.ask(one)
        await asked.close()
        return lost, back

    lost, back = asyncio.run(go())
    assert lost.value is None
    assert back.value is not None


def test_a_server_that_is_not_there_is_no_data():
    async def go():
        asked = SqlTalker(Connection("db", "postgres", "127.0.0.1", 9, "x"), SystemClock())
        found = await asked.ask(Indicator(sql="db", query="SELECT 1"))
        await asked.close()
        return found.why

    assert "refused" in asyncio.run(go())
