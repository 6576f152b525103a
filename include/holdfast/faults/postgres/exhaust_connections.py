"""Use the server's connections up: whoever needs a new one is refused."""

import threading
import time
from collections.abc import Mapping, Sequence

from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError, HoldfastError, TransientFaultError
from holdfast.faults.postgres import _sessions
from holdfast.faults.postgres._sessions import Undo
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MOST = 500
_WITHIN = 8.0
_AGAIN = 0.2
_FREE = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true)::int, 0)
     - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend')
"""


class ExhaustConnectionsDriver:
    """Hold every connection of the primary that is free, and each one that becomes free.

    The reserved ones stay: they let the revert in. So Holdfast must log in as a superuser.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The node that takes writes."""
        nodes, node = _place(fault)
        return [Target(nodes.named(node), fault.service, 1 / len(nodes.nodes), "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the node."""
        _, node = _place(fault)
        return _sessions.arm(fault, lease_id, node)

    def inject(self, recipe: Recipe) -> None:
        """Take all there are, then go on taking in a thread."""
        begun = _sessions.begin(recipe)
        if begun is None:
            return
        undo, nodes, node = begun
        until = time.monotonic() + _WITHIN
        watch = _Watch(nodes, node, undo)
        while watch.take_one():
            if time.monotonic() > until:
                text = f"some connections are still free after {_WITHIN:g} s"
                raise TransientFaultError(text, target=nodes.named(node))
        threading.Thread(target=watch.go_on, daemon=True).start()

    def revert(self, recipe: Recipe) -> None:
        """End the sessions, by one of the reserved connections."""
        _sessions.revert(recipe)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Sessions that bear the mark, seen through another database."""
        return _sessions.residue(recipe)


class _Watch:
    """One session that counts; it is marked and held as those that it counts."""

    def __init__(self, nodes: Cluster, node: Node, undo: Undo) -> None:
        self._nodes, self._node, self._undo = nodes, node, undo
        self._session = _sessions.hold(nodes, node, undo)

    def take_one(self) -> bool:
        """Take a connection if one is free for everybody."""
        row = self._session.execute(_FREE).fetchone()
        if row is None or row[0] <= 0:
            return False
        _sessions.hold(self._nodes, self._node, self._undo)
        return True

    def go_on(self) -> None:
        """Take what becomes free; that the counting session is ended is how the fault ends.

        It is never idle for long, so the limit is kept here as well.
        """
        import psycopg

        until = time.monotonic() + self._undo.limit
        while time.monotonic() < until:
            try:
                while self.take_one():
                    pass
            except psycopg.Error:
                return
            except HoldfastError:  # somebody else was quicker: look again
                pass
            time.sleep(_AGAIN)
        self._session.pgconn.finish()


def _place(fault: Fault) -> tuple[Cluster, Node]:
    nodes, node = _sessions.place(fault)
    if nodes.one(node, "SELECT current_setting('is_superuser')") != "on":
        text = "Holdfast logs in as no superuser here: the reserved connections would not let it in"
        raise FaultError(text, target=nodes.named(node))
    free = int(nodes.one(node, _FREE))
    if free < 1:
        raise FaultError("its connections are used up already", target=nodes.named(node))
    if free > _MOST:
        text = f"{free} connections are free, more than the {_MOST} that can be held"
        raise FaultError(text, target=nodes.named(node))
    return nodes, node


DRIVER: FaultDriver = ExhaustConnectionsDriver()
