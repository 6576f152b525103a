"""Make deadlocks: two sessions lock rows of a table crosswise, again and again."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from holdfast.clients.postgres import Node
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import number
from holdfast.faults.postgres import _sessions
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

if TYPE_CHECKING:
    from holdfast.clients.postgres import Session

_NOTICE = "SET deadlock_timeout = 200"
"""Milliseconds after which our own sessions look for a deadlock; only a superuser may say so."""
_FIRST_WITHIN = 5.0


class DeadlockDriver:
    """Lock two rows of a table of the primary crosswise; the server ends one of the two.

    Whoever else wants these rows waits until then, and may be the one that is chosen.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "table": Setting("text", None, "whose rows are locked; by default the one written most"),
        "every": Setting(
            "duration", 0.5, "the pause after each deadlock", low=0.0, high=60.0,
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The table, on the node that takes writes."""
        _, table, name = _place(fault)
        return [Target(f"{name} {table}", fault.service, 1.0, "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Choose the table."""
        node, table, _ = _place(fault)
        pause = number(fault, "every", 0.5)
        return _sessions.arm(fault, lease_id, node, table=table, pause=pause)

    def inject(self, recipe: Recipe) -> None:
        """Start, and return when the server has found the first deadlock."""
        begun = _sessions.begin(recipe)
        if begun is None:
            return
        undo, nodes, node = begun
        pair = _Pair(undo)
        for side in (0, 1):
            session = _sessions.hold(nodes, node, undo)
            threading.Thread(target=pair.go_on, args=(session, side), daemon=True).start()
        if not pair.met.wait(_FIRST_WITHIN):
            text = f"no deadlock on {undo.table} within {_FIRST_WITHIN:g} s"
            raise TransientFaultError(text, target=nodes.named(node))

    def revert(self, recipe: Recipe) -> None:
        """End both sessions."""
        _sessions.revert(recipe)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Sessions that bear the mark, seen through another database."""
        return _sessions.residue(recipe)


class _Pair:
    """Two sessions that wait for each other: each locks a row, then the other one's."""

    def __init__(self, undo: _sessions.Undo) -> None:
        table = undo.table
        self._until = time.monotonic() + undo.limit
        self._any = f"SELECT ctid::text FROM {table} LIMIT 1 FOR UPDATE SKIP LOCKED".encode()  # noqa: S608 - quoted by the server
        # A row that is locked does not move, so its place names it.
        self._that = f"SELECT 1 FROM {table} WHERE ctid = %s::tid FOR UPDATE".encode()  # noqa: S608 - as above
        self._pause = undo.pause
        self._rows: list[str | None] = [None, None]
        self._both = threading.Barrier(2)
        self.met = threading.Event()

    def go_on(self, session: "Session", side: int) -> None:
        """Cross again and again; that a session is ended is how the fault ends, for both.

        A session that is used is never idle, so the limit is kept here as well.
        """
        import psycopg

        try:
            if session.info.parameter_status("is_superuser") == "on":
                session.execute(_NOTICE)
            while time.monotonic() < self._until:
                self._cross(session, side)
                time.sleep(self._pause)
        except (psycopg.Error, threading.BrokenBarrierError):
            pass
        finally:
            self._both.abort()
            session.pgconn.finish()

    def _cross(self, session: "Session", side: int) -> None:
        from psycopg.errors import DeadlockDetected

        session.execute("BEGIN")
        mine = session.execute(self._any).fetchone()
        self._rows[side] = str(mine[0]) if mine else None
        self._both.wait()
        theirs = self._rows[1 - side]
        if mine and theirs:
            try:
                session.execute(self._that, [theirs])
            except DeadlockDetected:
                self.met.set()
        session.execute("ROLLBACK")
        self._both.wait()


def _place(fault: Fault) -> tuple[Node, str, str]:
    """The node, the table and the node's name to people; refuse a table without two rows."""
    nodes, node = _sessions.place(fault)
    table = _sessions.chosen_table(fault, nodes, node)
    if len(nodes.ask(node, f"SELECT 1 FROM {table} LIMIT 2")) < 2:  # noqa: S608 - as above
        raise FaultError(f"{table} has fewer than two rows", target=nodes.named(node))
    return node, table, nodes.named(node)


DRIVER: FaultDriver = DeadlockDriver()
