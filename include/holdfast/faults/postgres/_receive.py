"""Keep a standby from receiving log, by the name of a replication slot that does not exist."""

import time

from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError, TransientFaultError

_PREFIX = "holdfast_"
_LONGEST_NAME = 63
_PATIENCE = 5.0
_MOMENT = 0.1


def mark(lease_id: str) -> str:
    """A slot name made of the lease id; it may hold lower-case letters, digits and underscores."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in lease_id.lower())
    return (_PREFIX + plain)[:_LONGEST_NAME]


def before(nodes: Cluster, node: Node) -> str | None:
    """What ALTER SYSTEM had set the slot to, None if it had not; refuse what cannot be put back."""
    value, source, file = nodes.ask(
        node,
        "SELECT setting, source, coalesce(sourcefile, '') FROM pg_settings"
        " WHERE name = 'primary_slot_name'",
    )[0]
    if is_held(nodes, node):
        raise FaultError("its log is already held back by another fault", target=nodes.named(node))
    if source == "command line":
        raise FaultError("primary_slot_name stands on its command line", target=nodes.named(node))
    return str(value) if file.endswith("postgresql.auto.conf") else None


def is_held(nodes: Cluster, node: Node) -> bool:
    """Whether any fault of this kind keeps the node from receiving."""
    return str(nodes.one(node, "SHOW primary_slot_name")).startswith(_PREFIX)


def cut(nodes: Cluster, node: Node, name: str) -> None:
    """Name the slot, and wait until nothing is received any more."""
    _set(nodes, node, name)
    until = time.monotonic() + _PATIENCE
    while streams(nodes, node):
        if time.monotonic() > until:
            text = f"still receives log after {_PATIENCE:g} s"
            raise TransientFaultError(text, target=nodes.named(node))
        time.sleep(_MOMENT)


def restore(nodes: Cluster, node: Node, name: str, slot: str | None) -> None:
    """Put the slot back where the name is still ours."""
    if seen(nodes, node, name):
        _set(nodes, node, slot)


def resume(nodes: Cluster, node: Node, until: float) -> None:
    """Wait, but no longer than the monotonic time `until`, for a standby to receive again."""
    while time.monotonic() < until and not streams(nodes, node):
        if not nodes.one(node, "SELECT pg_is_in_recovery()") or not nodes.writable():
            return
        time.sleep(_MOMENT)


def seen(nodes: Cluster, node: Node, name: str) -> bool:
    """Whether the name stands in the node's settings files or in its running settings."""
    return bool(nodes.one(
        node,
        "SELECT 1 FROM pg_file_settings WHERE name = 'primary_slot_name' AND setting = %s"
        " UNION SELECT 1 FROM pg_settings WHERE name = 'primary_slot_name' AND setting = %s",
        name, name,
    ))


def streams(nodes: Cluster, node: Node) -> bool:
    """Whether the node receives log from a primary."""
    return bool(nodes.one(node, "SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'"))


def _set(nodes: Cluster, node: Node, slot: str | None) -> None:
    from psycopg import sql

    with nodes.session(node) as link:
        if slot is None:
            link.execute("ALTER SYSTEM RESET primary_slot_name")
        else:
            change = sql.SQL("ALTER SYSTEM SET primary_slot_name = {}")
            link.execute(change.format(sql.Literal(slot)))
        link.execute("SELECT pg_reload_conf()")
