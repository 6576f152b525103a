"""Sessions of our own that are a fault: marked with the lease, and limited on the target's side."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from holdfast.clients.postgres import OWN_NAME, Cluster, Node, cluster
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import address
from holdfast.model.fault import Fault, Recipe

if TYPE_CHECKING:
    from holdfast.clients.postgres import Session

_LONGEST_NAME = 63
_OLDEST = 140000
"""Earlier servers know no limit for an idle session, and do not notice a client that is gone."""
_MARGIN = 15.0
_PATIENCE = 5.0
_MOMENT = 0.05
_HELD: dict[str, list["Session"]] = {}
"""What this process holds, by mark: a session nobody refers to is closed."""


@dataclass(frozen=True, slots=True)
class Undo:
    """The recipe of such a fault as plain data; `limit` is the target's own, in seconds.

    `table`, `sessions` and `pause` (seconds) are empty for faults that have none.
    """

    home: str
    connection: str
    node: str
    mark: str
    limit: float
    table: str = ""
    sessions: int = 0
    pause: float = 0.0

    @classmethod
    def of(cls, recipe: Recipe) -> tuple["Undo", Cluster, Node]:
        """Read it back, with the node it was armed for."""
        undo = cls(**cast("dict[str, Any]", recipe.undo))
        nodes = cluster(undo.home, undo.connection)
        return undo, nodes, nodes.node(undo.node)


def place(fault: Fault) -> tuple[Cluster, Node]:
    """The node that takes writes now; refuse a server that could not limit a session by itself."""
    nodes = cluster(fault.home, address(fault, "postgres"))
    node = nodes.primary()
    version = int(nodes.one(node, "SELECT current_setting('server_version_num')"))
    if version < _OLDEST:
        text = f"PostgreSQL {_OLDEST // 10000} or newer is needed, it is {version // 10000}"
        raise FaultError(text, target=nodes.named(node))
    return nodes, node


def arm(fault: Fault, lease_id: str, node: Node, **more: Any) -> Recipe:
    """The recipe for sessions on this node; `more` is what else `Undo` has."""
    limit = fault.duration.total_seconds() + _MARGIN
    link = address(fault, "postgres")
    undo = Undo(fault.home, link, node.name, mark(lease_id), limit, **more)
    return Recipe(lease_id, fault.type, asdict(undo))


def begin(recipe: Recipe) -> tuple[Undo, Cluster, Node] | None:
    """Where to inject; None when it was done already. Refuse a node that is a primary no more."""
    undo, nodes, node = Undo.of(recipe)
    if nodes.in_recovery()[node.name] is not False:
        raise FaultError("takes no writes any more", target=nodes.named(node))
    return None if count(nodes, node, undo.mark) else (undo, nodes, node)


def revert(recipe: Recipe) -> None:
    """End every session that bears the mark, and wait until there is none."""
    undo, nodes, node = Undo.of(recipe)
    until = time.monotonic() + _PATIENCE
    while _terminate(nodes, node, undo.mark):
        if time.monotonic() > until:
            text = f"sessions of {undo.mark} do not end"
            raise TransientFaultError(text, target=nodes.named(node))
        time.sleep(_MOMENT)
    for session in _HELD.pop(undo.mark, []):
        session.pgconn.finish()


def residue(recipe: Recipe) -> Sequence[str]:
    """What still bears the mark, seen through another database than `revert` used."""
    undo, nodes, node = Undo.of(recipe)
    with nodes.session(node, nodes.other_database) as link:
        rows = link.execute(
            "SELECT coalesce(state, 'starting'), count(*) FROM pg_stat_activity"
            " WHERE application_name = %s GROUP BY 1 ORDER BY 1", [undo.mark],
        ).fetchall()
    return [f"{n} sessions of {undo.mark} on {nodes.named(node)}: {state}" for state, n in rows]


def mark(lease_id: str) -> str:
    """The application name of a lease's sessions; PostgreSQL cuts names at 63 bytes."""
    return f"{OWN_NAME}-{lease_id}"[:_LONGEST_NAME]


def hold(nodes: Cluster, node: Node, undo: Undo) -> "Session":
    """Open a session that lives as long as this process, or until the target's own limit."""
    end = f"{round(undo.limit * 1000)}"
    session = nodes.hold(node, undo.mark, {
        "statement_timeout": end, "lock_timeout": end, "idle_session_timeout": end,
        "idle_in_transaction_session_timeout": end, "client_connection_check_interval": "500",
    })
    _HELD.setdefault(undo.mark, []).append(session)
    return session


def count(nodes: Cluster, node: Node, name: str) -> int:
    """How many sessions of the node bear the mark."""
    return int(nodes.one(
        node, "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", name
    ))


def chosen_table(fault: Fault, nodes: Cluster, node: Node) -> str:
    """The table of the parameters, else the one written most; quoted, with its schema."""
    wanted = str(fault.params.get("table") or "")
    found = nodes.one(
        node,
        "SELECT format('%%I.%%I', schemaname, relname) FROM pg_stat_user_tables"
        " WHERE %s = '' OR relid = to_regclass(%s)"
        " ORDER BY n_tup_ins + n_tup_upd + n_tup_del DESC, relid LIMIT 1",
        wanted, wanted or None,
    )
    if not found:
        text = f"there is no table '{wanted}'" if wanted else "its database has no table"
        raise FaultError(text, target=nodes.named(node))
    return str(found)


def _terminate(nodes: Cluster, node: Node, name: str) -> int:
    return len(nodes.ask(
        node, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
        name,
    ))
