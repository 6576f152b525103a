"""Logins taken away on a real pair: sessions end, a fail-over changes nothing (F4, S3)."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from holdfast.errors import FaultError
from holdfast.faults.security.fail_authentication import DRIVER as PASSWORD
from holdfast.faults.security.revoke_login import DRIVER as LOGIN
from holdfast.model.fault import Recipe
from holdfast.ports.faults import FaultDriver
from support.faults import Bench
from support.pair import Pair

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("logins")]
ROLE = "SELECT rolcanlogin || ' ' || coalesce(rolvaliduntil::text, 'never') FROM pg_roles" \
    " WHERE rolname = 'app'"
COMMENT = "SELECT shobj_description('app'::regrole, 'pg_authid')"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("bench"))
    yield bench
    bench.stop()


@pytest.fixture
def pair(bench: Bench) -> Pair:
    bench.pair.ask(bench.pair.a, "ALTER ROLE app LOGIN VALID UNTIL 'infinity'")
    bench.pair.ask(bench.pair.a, "COMMENT ON ROLE app IS NULL")
    bench.users.settle()
    return bench.pair


def begun(bench: Bench, driver: FaultDriver, lease: str = "L-1") -> Recipe:
    recipe = driver.arm(bench.fault("security.x", driver.params), lease)
    driver.inject(recipe)
    return recipe


def client(bench: Bench) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host="127.0.0.1", port=bench.pair.a.port, user="app",
                           password=bench.password, dbname="postgres", autocommit=True)


@pytest.mark.parametrize(("driver", "says"), [
    pytest.param(LOGIN, "is not permitted to log in", id="login"),
    pytest.param(PASSWORD, "password authentication failed", id="password"),
])
def test_sessions_end_and_none_begins_until_the_revert(
    driver: FaultDriver, says: str, bench: Bench, pair: Pair
) -> None:
    before = client(bench)
    recipe = begun(bench, driver)
    with pytest.raises(psycopg.OperationalError, match="terminat"):
        before.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match=says):
        client(bench)
    driver.revert(recipe)
    client(bench).close()
    assert pair.ask(pair.a, ROLE) == "true infinity"
    assert pair.ask(pair.a, COMMENT) is None


def test_a_password_that_ends_one_day_gets_that_day_back(bench: Bench, pair: Pair) -> None:
    pair.ask(pair.a, "ALTER ROLE app VALID UNTIL '2060-05-04 00:00:00+00'")
    recipe = begun(bench, PASSWORD)
    PASSWORD.revert(recipe)
    assert "2060-05-04" in str(pair.ask(pair.a, ROLE))


def test_a_comment_of_somebody_else_stays(bench: Bench, pair: Pair) -> None:
    pair.ask(pair.a, "COMMENT ON ROLE app IS 'belongs to the shop'")
    two, one = begun(bench, PASSWORD, "L-2"), begun(bench, LOGIN)
    LOGIN.revert(one)
    assert pair.ask(pair.a, COMMENT) == "belongs to the shop\nholdfast-password-L-2"
    PASSWORD.revert(two)
    assert pair.ask(pair.a, COMMENT) == "belongs to the shop"


def test_a_role_without_the_mark_is_left_as_it_is(bench: Bench, pair: Pair) -> None:
    recipe = begun(bench, LOGIN)
    pair.ask(pair.a, "COMMENT ON ROLE app IS 'closed by hand'")
    LOGIN.revert(recipe)
    assert str(pair.ask(pair.a, ROLE)).startswith("false")


@pytest.mark.parametrize(("change", "says"), [
    pytest.param({"role": "postgres"}, "is Holdfast itself", id="our-own"),
    pytest.param({"role": "nobody"}, "there is no role 'nobody'", id="unknown"),
])
def test_a_role_that_cannot_be_hit_is_refused(
    change: dict[str, str], says: str, bench: Bench, pair: Pair
) -> None:
    with pytest.raises(FaultError, match=says):
        LOGIN.targets(bench.fault("security.revoke_login", LOGIN.params, **change))


@pytest.mark.parametrize("driver", [LOGIN, PASSWORD])
def test_a_role_that_cannot_log_in_is_refused_at_arm(
    driver: FaultDriver, bench: Bench, pair: Pair
) -> None:
    pair.ask(pair.a, "ALTER ROLE app NOLOGIN")
    with pytest.raises(FaultError, match="cannot log in already"):
        driver.arm(bench.fault("security.x", driver.params), "L-1")


def test_the_node_that_took_over_is_mended(tmp_path: Path) -> None:
    """The role, its mark and the revert follow the primary."""
    bench = Bench(tmp_path)
    try:
        pair = bench.pair
        recipe = begun(bench, LOGIN)
        pair.a.stop()
        pair.promote(pair.b)
        assert any("bench_db/b" in text for text in LOGIN.residue(recipe))
        LOGIN.revert(recipe)
        assert list(LOGIN.residue(recipe)) == []
        bench.users.settle()
        assert bench.users.is_connected()
    finally:
        bench.stop()
