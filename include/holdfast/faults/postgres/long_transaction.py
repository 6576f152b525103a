"""Leave a transaction open: its snapshot keeps dead rows from being cleaned away."""

from collections.abc import Mapping, Sequence

from holdfast.faults.postgres import _sessions
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver


class LongTransactionDriver:
    """Take a snapshot on the primary and do nothing with it.

    VACUUM removes no row that died after it, and neither does an update prune its page: what is
    written often grows and gets slow.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The node that takes writes."""
        nodes, node = _sessions.place(fault)
        return [Target(nodes.named(node), fault.service, 1 / len(nodes.nodes), "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the node."""
        _, node = _sessions.place(fault)
        return _sessions.arm(fault, lease_id, node)

    def inject(self, recipe: Recipe) -> None:
        """Take the snapshot; the transaction's number makes the row versions of now its own."""
        begun = _sessions.begin(recipe)
        if begun is None:
            return
        undo, nodes, node = begun
        session = _sessions.hold(nodes, node, undo)
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT pg_current_xact_id()")

    def revert(self, recipe: Recipe) -> None:
        """End the session."""
        _sessions.revert(recipe)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Sessions that bear the mark, seen through another database."""
        return _sessions.residue(recipe)


DRIVER: FaultDriver = LongTransactionDriver()
