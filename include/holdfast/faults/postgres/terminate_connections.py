"""End every client's session at once; the clients must connect anew."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from holdfast.clients.postgres import OWN_NAME, Cluster, Node, cluster
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import address, number
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MOMENT = 0.1
_CLIENTS = f"""
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND NOT starts_with(application_name, '{OWN_NAME}')
  AND (current_setting('is_superuser') = 'on'
       OR NOT EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND rolsuper))
"""
_COUNT = "SELECT count(*)" + _CLIENTS
_OLD = _COUNT + " AND backend_start < %s::timestamptz"
_NEW = _COUNT + " AND backend_start >= %s::timestamptz"
_LACKS = """
SELECT string_agg(need, ', ') FROM unnest(ARRAY['pg_read_all_stats', 'pg_signal_backend']) AS need
WHERE NOT pg_has_role(need::name, 'USAGE')
"""
_END = "SELECT pg_terminate_backend(pid)" + _CLIENTS + " AND backend_start < %s::timestamptz"


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back."""

    home: str
    connection: str
    node: str
    clients: int
    noted: str
    patience: float

    @classmethod
    def of(cls, recipe: Recipe) -> tuple["_Undo", Cluster, Node]:
        undo = cls(**cast("dict[str, Any]", recipe.undo))
        nodes = cluster(undo.home, undo.connection)
        return undo, nodes, nodes.node(undo.node)

    @property
    def at(self) -> str | None:
        """When the sessions were ended, on the server's clock; None if they were not."""
        try:
            return Path(self.noted).read_text() or None
        except FileNotFoundError:
            return None

    def note(self, at: str) -> None:
        """Put it on disk before the deed: a second injection ends nobody who came back."""
        file = Path(self.noted)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(at)


class TerminateConnectionsDriver:
    """End the sessions of all clients on the primary, but not Holdfast's nor those of standbys.

    A login that is no superuser needs `pg_read_all_stats` and `pg_signal_backend`, and cannot end
    the sessions of superusers: these stay.
    """

    effect = Effect.ONE_SHOT
    address = "postgres"
    params: Mapping[str, Setting] = {
        "patience": Setting(
            "duration", 10.0, "how long the revert waits for a client to come back",
            low=0.0, high=60.0,
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The node that takes writes, if it has clients."""
        nodes, node, clients = _place(fault)
        name = f"{nodes.named(node)} ({clients} sessions)"
        return [Target(name, fault.service, 1 / len(nodes.nodes), "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Count the clients' sessions."""
        nodes, node, clients = _place(fault)
        now = nodes.one(node, "SELECT to_char(clock_timestamp(), 'YYYYMMDDHH24MISSUS')")
        noted = Path(fault.home) / "terminated" / f"{lease_id}-{now}"
        patience = number(fault, "patience", 10.0)
        undo = _Undo(fault.home, nodes.target, node.name, clients, str(noted), patience)
        return Recipe(lease_id, fault.type, asdict(undo))

    def inject(self, recipe: Recipe) -> None:
        """End whoever was there when it began; a repetition ends those again, nobody else."""
        undo, nodes, node = _Undo.of(recipe)
        if undo.at is None:
            undo.note(str(nodes.one(node, "SELECT clock_timestamp()::text")))
        nodes.ask(node, _END, undo.at)

    def revert(self, recipe: Recipe) -> None:
        """Wait for the clients: to connect again is their own repair, nobody can do it for them."""
        undo, _, node = _Undo.of(recipe)
        until = time.monotonic() + undo.patience
        while found := self.residue(recipe):
            if time.monotonic() > until:
                raise TransientFaultError(found[0], target=f"{undo.connection}/{node.name}")
            time.sleep(_MOMENT)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Sessions that were told to end and have not, and that no client has come back."""
        undo, nodes, _ = _Undo.of(recipe)
        if undo.at is None:
            return []
        node = nodes.primary()  # clients go where writes are taken now
        where = nodes.named(node)
        if old := int(nodes.one(node, _OLD, undo.at)):
            return [f"{old} sessions of {where} were told to end and have not"]
        if undo.clients and not nodes.one(node, _NEW, undo.at):
            return [f"no client of {where} has connected again, {undo.clients} sessions were there"]
        return []


def _place(fault: Fault) -> tuple[Cluster, Node, int]:
    nodes = cluster(fault.home, address(fault, "postgres"))
    node = nodes.primary()
    if lacks := nodes.one(node, _LACKS):
        text = f"Holdfast's login sees or ends no sessions of others here: GRANT {lacks} to it"
        raise FaultError(text, target=nodes.named(node))
    clients = int(nodes.one(node, _COUNT))
    if not clients:
        raise FaultError("no client is connected", target=nodes.named(node))
    return nodes, node, clients


DRIVER: FaultDriver = TerminateConnectionsDriver()
