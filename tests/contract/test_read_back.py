"""What a suite's author writes as a query only reads, on a real pair (S1 R6)."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.clients import rows
from holdfast.clients.postgres import Cluster, cluster
from holdfast.errors import CheckError, FaultError, TransientFaultError
from holdfast.model.verdict import Verdict
from holdfast.steps.check import check
from holdfast.steps.items import looked
from support.after import ended, found, op, record
from support.lab import boottime
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


def read(nodes: Cluster, query: str) -> list[tuple[str]]:
    with rows.look(nodes, nodes.primary(), boottime) as look:
        return list(look.rows(query))


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
        read(nodes, query)
    assert ["k1", "k2"] == orders(nodes)


@pytest.mark.parametrize("query", ["SELECT key FROM orders", "SELECT key FROM orders; -- all"])
def test_a_query_that_reads_gives_every_row(query: str, nodes: Cluster) -> None:
    assert [("k1",), ("k2",)] == sorted(read(nodes, query))


def test_a_query_that_takes_too_long_ends(
    nodes: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LONGEST_SECONDS", 1.0)
    with pytest.raises(CheckError, match=r"not read within 1 s: .*statement timeout"):
        read(nodes, "SELECT pg_sleep(60)::text")


def test_a_server_that_has_stopped_is_left_alone(
    nodes: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LONGEST_SECONDS", 2.0)
    with pytest.raises(TransientFaultError), rows.look(nodes, nodes.primary(), boottime) as look:
        (backend,) = next(look.rows("SELECT pg_backend_pid()"))
        os.kill(backend, signal.SIGSTOP)
        try:
            list(look.rows("SELECT 1"))
        finally:
            os.kill(backend, signal.SIGCONT)


def test_all_answers_are_of_the_same_moment(nodes: Cluster) -> None:
    with rows.look(nodes, nodes.primary(), boottime) as look:
        nodes.ask(nodes.primary(), "SELECT place_order('k3', 1, 1)")
        seen = list(look.rows("SELECT key FROM orders"))
    with nodes.session(nodes.primary()) as link:
        link.execute("DELETE FROM orders WHERE key = 'k3'")
    assert ([("k1",), ("k2",)], True) == (sorted(seen), look.begun <= look.ended)


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
    keys = looked(ports, "shop_db", lambda look: list(look.rows("SELECT key FROM orders")))
    assert [("k1",), ("k2",)] == sorted(keys)
