"""Lock a table: everybody who wants it waits, readers too."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults.postgres import _sessions
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

if TYPE_CHECKING:
    from holdfast.clients.postgres import Session

_QUEUED_WITHIN = 5.0
_MOMENT = 0.02
_REQUESTED = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE application_name = %s AND mode = 'AccessExclusiveLock' AND relation = %s::regclass
"""


class LockStormDriver:
    """Ask for ACCESS EXCLUSIVE on a table of the primary, and keep it.

    From the moment the request is in the queue nobody new gets at the table, even while those who
    were there before still keep the lock from being granted.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "table": Setting("text", None, "the table to lock; by default the one written most"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The table, on the node that takes writes."""
        nodes, node, table = _place(fault)
        return [Target(f"{nodes.named(node)} {table}", fault.service, 1.0, "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Choose the table."""
        _, node, table = _place(fault)
        return _sessions.arm(fault, lease_id, node, table=table)

    def inject(self, recipe: Recipe) -> None:
        """Ask for the lock in a session that lives as long as this process."""
        begun = _sessions.begin(recipe)
        if begun is None:
            return
        undo, nodes, node = begun
        session = _sessions.hold(nodes, node, undo)
        threading.Thread(target=_lock, args=(session, undo.table), daemon=True).start()
        until = time.monotonic() + _QUEUED_WITHIN
        while not nodes.one(node, _REQUESTED, undo.mark, undo.table):
            if time.monotonic() > until:
                text = f"no lock was asked for on {undo.table} within {_QUEUED_WITHIN:g} s"
                raise TransientFaultError(text, target=nodes.named(node))
            time.sleep(_MOMENT)

    def revert(self, recipe: Recipe) -> None:
        """End the session: its lock, or its place in the queue, goes with it."""
        _sessions.revert(recipe)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Sessions that bear the mark, seen through another database."""
        return _sessions.residue(recipe)


def _place(fault: Fault) -> tuple[Cluster, Node, str]:
    """The node and the table; refuse one that our login may not lock."""
    nodes, node = _sessions.place(fault)
    table = _sessions.chosen_table(fault, nodes, node)
    if not nodes.one(node, "SELECT has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')", table):
        text = f"Holdfast's login may not lock {table}: GRANT UPDATE ON {table} to it"
        raise FaultError(text, target=nodes.named(node))
    return nodes, node, table


def _lock(session: "Session", table: str) -> None:
    """Wait for the lock; that the session is ended meanwhile is how the fault ends."""
    import psycopg

    try:
        session.execute("BEGIN")
        session.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
    except psycopg.Error:
        session.pgconn.finish()


DRIVER: FaultDriver = LockStormDriver()
