import socket
from dataclasses import replace

import pytest

from holdfast.clients.connections import Connection
from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError, SpecError, TransientFaultError

NODES = [{"name": "a", "host": "h", "port": 1}, {"name": "b", "host": "h", "port": "2"}]
ENTRY = Connection("db", "postgres", "h", 1, "u", "s3cret", "shop", {"nodes": NODES})


class Known(Cluster):
    """A cluster whose roles are set: True replays, False takes writes, None is silent."""

    def __init__(self, **roles: bool | None) -> None:
        super().__init__(ENTRY)
        self._roles = roles

    def _replays(self, node: Node) -> bool:
        role = self._roles[node.name]
        if role is None:
            raise TransientFaultError("the password is wrong", target=self.named(node))
        return role


def test_nodes_are_those_of_extra() -> None:
    assert Cluster(ENTRY).nodes == (Node("a", "h", 1), Node("b", "h", 2))


@pytest.mark.parametrize("nodes", [
    [{"name": "a"}], ["a=h:1"], 3, [{"name": "a", "host": "h", "port": "x"}],
])
def test_nodes_that_are_none_are_refused_with_their_connection(nodes: object) -> None:
    with pytest.raises(SpecError, match="nodes of connection 'db' cannot be read"):
        Cluster(replace(ENTRY, extra={"nodes": nodes}))


def test_an_entry_without_nodes_is_a_cluster_of_one() -> None:
    assert Cluster(Connection("db", "postgres", "h", 5)).nodes == (Node("h", "h", 5),)


def test_an_unlisted_node_is_refused() -> None:
    with pytest.raises(FaultError, match="db: no node 'c' is listed"):
        Cluster(ENTRY).node("c")


def test_the_primary_is_the_one_that_takes_writes() -> None:
    cluster = Known(a=True, b=False)
    assert cluster.primary() == cluster.node("b")


@pytest.mark.parametrize(("roles", "found"), [
    pytest.param({"a": True, "b": None}, "none", id="nobody-takes-writes"),
    pytest.param({"a": False, "b": False}, "a, b", id="two-primaries"),
])
def test_without_exactly_one_primary_there_is_none(roles: dict[str, bool], found: str) -> None:
    with pytest.raises(FaultError, match=f"there must be one primary, found: {found}"):
        Known(**roles).primary()


def test_a_node_that_does_not_let_in_says_why() -> None:
    with pytest.raises(FaultError, match="found: none; db/b: the password is wrong"):
        Known(a=True, b=None).primary()


def test_an_address_can_be_had_without_its_password() -> None:
    cluster = Cluster(ENTRY)
    assert cluster.password in cluster.address(cluster.node("a"))
    assert cluster.address(cluster.node("b"), secret=False) == "host=h port=2 user=u dbname=shop"


def test_a_node_that_refuses_connections_is_named_and_may_come_back() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        entry = Connection("db", "postgres", "127.0.0.1", unheard.getsockname()[1])
        cluster = Cluster(entry)
        with pytest.raises(TransientFaultError, match=r"db/127\.0\.0\.1: "):
            cluster.one(cluster.nodes[0], "SELECT 1")
        assert cluster.in_recovery() == {"127.0.0.1": None}


def test_what_a_connection_says_of_tls_reaches_libpq():
    """Unknown words of its extra do not."""
    entry = Connection("db", "postgres", "h", 5432, extra={
        "sslmode": "verify-full", "sslrootcert": "/ca.pem", "role": "app", "options": "-c x=y"})
    at = Cluster(entry)
    assert "host=h port=5432 dbname=postgres sslmode=verify-full sslrootcert=/ca.pem" == \
        at.address(at.nodes[0])
