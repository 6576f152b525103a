"""What a suite's author writes as a query only reads, on a real pair (S1 R6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.clients.postgres import Cluster, cluster
from holdfast.errors import FaultError
from holdfast.model.suite import History
from holdfast.model.verdict import Verdict
from holdfast.steps.check import check, read_back
from support.after import ended, found, op, record
from support.runs import RUN
from support.shop import postgres_pair

pytestmark = pytest.mark.system
_EATER = """
CREATE FUNCTION eat() RETURNS SETOF text LANGUAGE sql AS 'DELETE FROM orders RETURNING key'
"""
REFUSED = "the query must be one SELECT that changes nothing"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("pair")
    with postgres_pair(home):
        nodes = cluster(str(home), "shop_db")
        for key in ("k1", "k2"):
            nodes.ask(nodes.primary(), "SELECT place_order(%s, 1, 1)", key)
        with nodes.session(nodes.primary()) as link:
            link.execute(_EATER)
        yield home


@pytest.fixture
def nodes(home: Path) -> Cluster:
    return cluster(str(home), "shop_db")


def orders(nodes: Cluster) -> list[str]:
    return [key for key, in nodes.ask(nodes.primary(), "SELECT key FROM orders ORDER BY key")]


@pytest.mark.parametrize("query", [
    "DELETE FROM orders RETURNING key",
    "WITH gone AS (DELETE FROM orders RETURNING key) SELECT key FROM gone",
    "SELECT eat()",
    "SELECT key FROM orders; DELETE FROM orders",
    "SELECT key FROM orders; COMMIT; DELETE FROM orders RETURNING key",
    "SET TRANSACTION READ WRITE; DELETE FROM orders RETURNING key",
    "COPY orders TO PROGRAM 'cat > /dev/null'",
    "SELECT key FROM orders FOR UPDATE",
])
def test_a_query_that_could_write_is_refused_and_changes_nothing(
    query: str, nodes: Cluster
) -> None:
    with pytest.raises(FaultError, match=REFUSED):
        nodes.read(nodes.primary(), query)
    assert ["k1", "k2"] == orders(nodes)


@pytest.mark.parametrize("query", ["SELECT key FROM orders", "SELECT key FROM orders; -- all"])
def test_a_query_that_reads_gives_every_row(query: str, nodes: Cluster) -> None:
    assert [("k1",), ("k2",)] == sorted(nodes.read(nodes.primary(), query))


def test_a_query_that_takes_too_long_ends(nodes: Cluster) -> None:
    with pytest.raises(FaultError, match="statement timeout"):
        nodes.read(nodes.primary(), "SELECT pg_sleep(60)::text")


def test_a_run_whose_query_deletes_is_unknown_and_says_why(
    home: Path, nodes: Cluster, tmp_path: Path
) -> None:
    delete = "DELETE FROM orders RETURNING key"
    ports = ended(tmp_path, ("SELECT key FROM orders", delete))
    record(ports, [op(1012, key="k1"), op(1013, key="k2")])
    (tmp_path / "connections.json").write_text((home / "connections.json").read_text())
    (tmp_path / "connections.json").chmod(0o600)
    check(ports, RUN)
    finding = found(ports, "lost_writes")
    assert Verdict.UNKNOWN is finding.verdict
    assert REFUSED in finding.text
    assert ["k1", "k2"] == orders(nodes)
    assert 5 > ports.clock.passed - 40, "a refusal is not asked again"  # type: ignore[attr-defined]
    orders_now = History(file="f", postgres="shop_db", query="SELECT key FROM orders")
    assert {"k1", "k2"} == set(read_back(ports, orders_now))
