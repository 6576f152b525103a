"""Keep the database busy with queries that take long."""

import os
import threading
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError
from holdfast.faults._selector import number
from holdfast.faults.postgres import _sessions
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

if TYPE_CHECKING:
    from holdfast.clients.postgres import Session

_DEFAULT = 4
# The series is made row by row: in FROM it would first be written to disk.
_EXPENSIVE = """
SELECT count(md5(n::text)) FROM (SELECT generate_series(1, 1000000000000) AS n) AS numbers
"""


class SlowQueriesDriver:
    """Run queries on the primary that burn a core each until the fault ends.

    On a server of this host a core is left free: the guard and the keeper need it.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "sessions": Setting(
            "integer", None, "queries at a time; by default 4, but one less than this host has "
            "cores where the server is on it", low=1, high=64,
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The node that takes writes."""
        nodes, node = _sessions.place(fault)
        _wanted(fault, nodes, node)
        return [Target(nodes.named(node), fault.service, 1 / len(nodes.nodes), "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Count the cores that may be used."""
        nodes, node = _sessions.place(fault)
        return _sessions.arm(fault, lease_id, node, sessions=_wanted(fault, nodes, node))

    def inject(self, recipe: Recipe) -> None:
        """Start the queries, each in a session and a thread of its own."""
        begun = _sessions.begin(recipe)
        if begun is None:
            return
        undo, nodes, node = begun
        for _ in range(undo.sessions):
            session = _sessions.hold(nodes, node, undo)
            threading.Thread(target=_run, args=(session,), daemon=True).start()

    def revert(self, recipe: Recipe) -> None:
        """End the sessions, and the queries with them."""
        _sessions.revert(recipe)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Sessions that bear the mark, seen through another database."""
        return _sessions.residue(recipe)


def _wanted(fault: Fault, nodes: Cluster, node: Node) -> int:
    wanted = int(number(fault, "sessions", 0))
    if not _is_here(node):
        return wanted or _DEFAULT
    most = max(1, (os.cpu_count() or 1) - 1)
    if wanted > most:
        text = f"at most {most} sessions on a server of this host, one core stays free"
        raise FaultError(text, target=nodes.named(node))
    return wanted or min(_DEFAULT, most)


def _is_here(node: Node) -> bool:
    """Whether it is reached by loopback or by a socket in the file system."""
    if node.host.startswith("/") or node.host in ("", "localhost"):
        return True
    try:
        return ip_address(node.host).is_loopback
    except ValueError:
        return False


def _run(session: "Session") -> None:
    """Run the query; that the session is ended meanwhile is how the fault ends."""
    import psycopg

    try:
        session.execute(_EXPENSIVE)
    except psycopg.Error:
        session.pgconn.finish()


DRIVER: FaultDriver = SlowQueriesDriver()
