"""Kill the primary: SIGKILL for its postmaster and every backend."""

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from holdfast.clients import processes
from holdfast.clients.postgres import Cluster, Node, cluster
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import address, number
from holdfast.faults.postgres import _host, _receive, _rejoin
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MOMENT = 0.1
_GONE_WITHIN = 5.0
_STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
_RECEIVING = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'"


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back."""

    home: str
    connection: str
    node: str
    boot: str
    pid: int
    start: int
    folder: str
    programs: str
    standbys: int
    patience: float

    @classmethod
    def of(cls, recipe: Recipe) -> "_Undo":
        return cls(**cast("dict[str, Any]", recipe.undo))

    @property
    def untouched(self) -> bool:
        """Whether the postmaster of arm still runs."""
        return self.boot == processes.boot_id() and processes.same(self.pid, self.start) is not None


class KillPrimaryDriver:
    """Kill whichever node is the primary at arm, if a standby is there to take over."""

    effect = Effect.ONE_SHOT
    address = "postgres"
    params: Mapping[str, Setting] = {
        "patience": Setting(
            "duration", 60.0, "how long the revert waits for the target's own repair",
            low=0.0, high=60.0,
        ),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The primary of now."""
        nodes = cluster(fault.home, address(fault, "postgres"))
        name = nodes.named(nodes.primary())
        return [Target(name, fault.service, 1 / len(nodes.nodes), "primary")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Find the primary's postmaster on this host; refuse without a standby that streams."""
        link = address(fault, "postgres")
        nodes = cluster(fault.home, link)
        node = nodes.primary()
        standbys = _standbys(nodes, node)
        if not standbys:
            text = "no standby is streaming, nobody could take over"
            raise FaultError(text, target=nodes.named(node))
        folder = str(nodes.one(node, "SHOW data_directory"))
        postmaster = _host.postmaster(nodes, node, Path(folder))
        undo = _Undo(
            home=fault.home, connection=link, node=node.name, boot=processes.boot_id(),
            pid=postmaster.pid, start=postmaster.start, folder=folder,
            programs=str(Path(processes.link(postmaster.pid, "exe")).parent),
            standbys=standbys, patience=number(fault, "patience", 60.0),
        )
        return Recipe(lease_id, fault.type, asdict(undo))

    def inject(self, recipe: Recipe) -> None:
        """Kill the postmaster, then its children: with the parent dead nobody forks new ones."""
        undo = _Undo.of(recipe)
        if not undo.untouched:
            _refuse_repaired(undo)
            return
        for process in processes.tree([undo.pid], processes.table()):
            processes.send(process, signal.SIGKILL)
        killed = processes.ticks()
        until = time.monotonic() + _GONE_WITHIN
        while left := [p for p in _of_folder(undo, killed) if processes.send(p, signal.SIGKILL)]:
            if time.monotonic() > until:
                raise FaultError("survives SIGKILL", target=f"process {left[0].pid}")
            time.sleep(0.01)

    def revert(self, recipe: Recipe) -> None:
        """Wait for the target's own repair; if it does not come, restart or rejoin the node."""
        undo = _Undo.of(recipe)
        if undo.untouched:
            return
        nodes = cluster(undo.home, undo.connection)
        if _repaired(nodes, undo, undo.patience):
            return
        place = _rejoin.Place(
            Path(undo.folder), Path(undo.programs),
            Path(undo.home) / "rejoin" / recipe.lease_id, undo.patience,
        )
        _rejoin.rejoin(nodes, nodes.node(undo.node), place)
        if not _repaired(nodes, undo, _rejoin.SETTLE):
            raise TransientFaultError("restarted, but it has not come back", target=nodes.target)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What service and redundancy still lack, as a client and as the primary see them."""
        undo = _Undo.of(recipe)
        if undo.untouched:
            return []
        nodes = cluster(undo.home, undo.connection)
        writable = nodes.writable()
        if len(writable) != 1:
            return [f"{len(writable)} nodes of {nodes.target} take writes, not one"]
        if nodes.one(writable[0], "SHOW transaction_read_only") != "off":
            return [f"{nodes.named(writable[0])} is read-only"]
        standbys = int(nodes.one(writable[0], _STREAMING))
        if standbys < undo.standbys:
            source = nodes.named(writable[0])
            return [f"{standbys} of {undo.standbys} standbys stream from {source}"]
        return []


def _standbys(nodes: Cluster, primary: Node) -> int:
    """How many could take over; one that another fault holds back counts: that may be the test."""
    roles = nodes.in_recovery()
    followers = [n for n in nodes.nodes if roles[n.name]]
    held = sum(_receive.is_held(nodes, n) and not _receive.streams(nodes, n) for n in followers)
    return held + int(nodes.one(primary, _STREAMING)) if followers else 0


def _of_folder(undo: _Undo, killed: int) -> list[processes.Process]:
    """Processes that work in the data directory, but none of a server started after the kill."""
    return [p for p in processes.working_in(undo.folder) if undo.start <= p.start <= killed]


def _refuse_repaired(undo: _Undo) -> None:
    """Only a killed postmaster leaves a pid file that names it."""
    if _rejoin.pid_of(Path(undo.folder)) != undo.pid:
        text = "was stopped or restarted after the fault was armed"
        raise FaultError(text, target=f"{undo.connection}/{undo.node}")


def _repaired(nodes: Cluster, undo: _Undo, patience: float) -> bool:
    """Whether, within the time, one node takes writes and as many as before receive its log."""
    until = time.monotonic() + patience
    while True:
        roles = nodes.in_recovery()
        followers = [n for n in nodes.nodes if roles[n.name]]
        primaries = sum(role is False for role in roles.values())
        if primaries == 1 and _receiving(nodes, followers) >= undo.standbys:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_MOMENT)


def _receiving(nodes: Cluster, followers: Sequence[Node]) -> int:
    try:
        return sum(int(nodes.one(node, _RECEIVING)) for node in followers)
    except TransientFaultError:
        return 0


DRIVER: FaultDriver = KillPrimaryDriver()
