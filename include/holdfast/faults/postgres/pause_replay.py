"""Hold a standby back: it goes on receiving, or not even that, but shows nothing new."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from holdfast.clients.postgres import Cluster, Node, cluster
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import address
from holdfast.faults.postgres import _receive
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MOMENT = 0.1
_SETTLE = 6.0
_CATCH_UP = 3.0
# Asking a promoted node whether its replay is paused is an error, so the role comes first.
_PAUSED = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END"


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back."""

    home: str
    connection: str
    standby: str
    mark: str
    receive: bool
    slot: str | None

    @classmethod
    def of(cls, recipe: Recipe) -> tuple["_Undo", Cluster]:
        undo = cls(**cast("dict[str, Any]", recipe.undo))
        return undo, cluster(undo.home, undo.connection)


class PauseReplayDriver:
    """Pause replay on a standby; with `receive` keep the log itself from reaching it.

    Before a standby is promoted it replays all it has received, so paused replay alone loses
    nothing at a fail-over; a standby that has not received does.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "receive": Setting("flag", False, "also keep new log from reaching the standby"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The standby that would be held back."""
        nodes = cluster(fault.home, address(fault, "postgres"))
        name = nodes.named(_standby(nodes))
        return [Target(name, fault.service, 1 / len(nodes.nodes), "standby")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Choose the standby and remember what its slot setting was."""
        link = address(fault, "postgres")
        nodes = cluster(fault.home, link)
        standby = _standby(nodes)
        if nodes.one(standby, _PAUSED):
            text = "its replay is already paused by someone else"
            raise FaultError(text, target=nodes.named(standby))
        receive = bool(fault.params.get("receive"))
        slot = _receive.before(nodes, standby) if receive else None
        undo = _Undo(fault.home, link, standby.name, _receive.mark(lease_id), receive, slot)
        return Recipe(lease_id, fault.type, asdict(undo))

    def inject(self, recipe: Recipe) -> None:
        """Cut off the log first: a standby that has paused does not read its settings any more."""
        undo, nodes = _Undo.of(recipe)
        node = nodes.node(undo.standby)
        if undo.receive:
            _receive.cut(nodes, node, undo.mark)
        nodes.ask(node, "SELECT pg_wal_replay_pause()")

    def revert(self, recipe: Recipe) -> None:
        """Clean each node that bears the mark (pg_rewind copies settings); let replay go on."""
        undo, nodes = _Undo.of(recipe)
        waiting = list(nodes.nodes) if undo.receive else [nodes.node(undo.standby)]
        until = time.monotonic() + _SETTLE
        while waiting := [node for node in waiting if not _mend(nodes, node, undo)]:
            if time.monotonic() > until:
                names = ", ".join(node.name for node in waiting)
                raise TransientFaultError(f"could not be mended: {names}", target=nodes.target)
            time.sleep(_MOMENT)
        if undo.receive:
            _receive.resume(nodes, nodes.node(undo.standby), until)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """The mark in any node's settings, and whether replay keeps up with the primary's log."""
        undo, nodes = _Undo.of(recipe)
        roles = nodes.in_recovery()
        left = []
        for node in nodes.nodes if undo.receive else [nodes.node(undo.standby)]:
            if roles[node.name] is None:
                left.append(f"{nodes.named(node)} does not answer, so it cannot be looked at")
            elif _receive.seen(nodes, node, undo.mark):
                left.append(f"{nodes.named(node)} bears the mark {undo.mark}")
        if not left and roles[undo.standby]:
            left += _behind(nodes, nodes.node(undo.standby))
        return left


def _standby(nodes: Cluster) -> Node:
    roles = nodes.in_recovery()
    for node in nodes.nodes:
        if roles[node.name]:
            return node
    raise FaultError("no standby answers", target=nodes.target)


def _mend(nodes: Cluster, node: Node, undo: _Undo) -> bool:
    """Mend one node; True when nothing of the fault is left to do there."""
    try:
        if undo.receive:
            _receive.restore(nodes, node, undo.mark, undo.slot)
        if node.name == undo.standby and nodes.one(node, _PAUSED):
            nodes.ask(node, "SELECT pg_wal_replay_resume()")
    except TransientFaultError:
        return False
    return True


def _behind(nodes: Cluster, standby: Node) -> Sequence[str]:
    """Whether a message sent into the primary's log now is replayed in time."""
    writable = nodes.writable()
    if not writable:
        paused = nodes.one(standby, "SELECT pg_get_wal_replay_pause_state()")
        return [] if paused == "not paused" else [f"replay of {nodes.named(standby)} is {paused}"]
    with nodes.session(writable[0]) as link:
        # The commit must not wait for the standby that is asked about.
        link.execute("SET synchronous_commit = local")
        link.execute("SELECT pg_logical_emit_message(true, 'holdfast', 'residue')")
        goal = str(*link.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() or ("",))
    until = time.monotonic() + _CATCH_UP
    while time.monotonic() < until:
        if nodes.one(standby, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", goal):
            return []
        time.sleep(_MOMENT)
    name = nodes.named(standby)
    return [f"{name} has not replayed {goal} of {writable[0].name} in {_CATCH_UP:g} s"]


DRIVER: FaultDriver = PauseReplayDriver()
