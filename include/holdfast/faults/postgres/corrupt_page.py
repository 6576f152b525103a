"""Damage a page of a table on the standby: whoever reads it there gets an error, not wrong data."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from holdfast.clients import processes
from holdfast.clients.postgres import Cluster, Node, cluster
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import address
from holdfast.faults.postgres import _host, _page, _rejoin
from holdfast.faults.postgres._page import Page
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_REPLAYED_WITHIN = 3.0
_OTHERS_TURN = 3.0
_BACK_WITHIN = 8.0
_MOMENT = 0.1
_TABLE = """
SELECT format('%%I.%%I', nspname, relname), pg_relation_filepath(c.oid),
       current_setting('block_size')::int,
       (pg_relation_size(c.oid) / current_setting('block_size')::int)::int,
       current_setting('data_checksums')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND relpersistence = 'p' AND nspname NOT IN ('pg_catalog', 'information_schema')
  AND (%s = '' OR c.oid = to_regclass(%s))
ORDER BY pg_relation_size(c.oid) DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back. `folder` is the server's own word for its data."""

    home: str
    connection: str
    node: str
    folder: str
    programs: str
    table: str
    file: str
    block: int
    size: int
    mask: str

    @classmethod
    def of(cls, recipe: Recipe) -> tuple["_Undo", Cluster, Node]:
        undo = cls(**cast("dict[str, Any]", recipe.undo))
        nodes = cluster(undo.home, undo.connection)
        return undo, nodes, nodes.node(undo.node)

    @property
    def page(self) -> Page:
        """The page as it is seen from here now."""
        file = _host.view(Path(self.folder)) / self.file
        return Page(file, self.block, self.size, bytes.fromhex(self.mask))


class CorruptPageDriver:
    """Damage the header of one page in the standby's files, and crash the standby to have it read.

    The damage is a mask made of the lease id, laid over twelve bytes: laying it on again mends
    them, whatever they were, and no row is touched. Needs data checksums and the standby's files.
    """

    effect = Effect.HELD
    address = "postgres"
    params: Mapping[str, Setting] = {
        "table": Setting("text", None, "whose page is damaged; by default the largest one's"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The table on the standby, if its files can be reached."""
        nodes, node, undo = _plan(fault, "targets")
        name = f"{nodes.named(node)} {undo.table} block {undo.block}"
        return [Target(name, fault.service, 1 / len(nodes.nodes), "standby")]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Choose a page that is not soon written again."""
        _, _, undo = _plan(fault, lease_id)
        return Recipe(lease_id, fault.type, asdict(undo))

    def inject(self, recipe: Recipe) -> None:
        """Damage the page, and see that it cannot be read any more."""
        undo, nodes, node = _Undo.of(recipe)
        if not undo.page.is_ours():
            _write_out(nodes, node)
            _damage(undo, nodes.named(node))
        elif _unreadable(nodes, node, undo):
            return
        _wait_until_back(undo, nodes, node)
        if not _unreadable(nodes, node, undo):
            text = f"block {undo.block} of {undo.table} was written anew meanwhile"
            raise TransientFaultError(text, target=nodes.named(node))

    def revert(self, recipe: Recipe) -> None:
        """Take the mask away if it is there; start the server if nobody else has."""
        undo, nodes, node = _Undo.of(recipe)
        _page.thaw(undo.folder)
        if not undo.page.is_there():  # its files may be seen through its processes only
            _wait_until_back(undo, nodes, node)
        if undo.page.is_there() and undo.page.is_ours():
            with _page.frozen(undo.folder):
                if undo.page.is_ours():
                    undo.page.lay()
        _wait_until_back(undo, nodes, node)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What the server says when it is asked for the page's rows."""
        undo, nodes, node = _Undo.of(recipe)
        wrong = _unreadable(nodes, node, undo)
        return [f"{nodes.named(node)}: {wrong}"] if wrong else []


def _plan(fault: Fault, lease_id: str) -> tuple[Cluster, Node, _Undo]:
    link = address(fault, "postgres")
    nodes = cluster(fault.home, link)
    node = _standby(nodes)
    named = nodes.named(node)
    wanted = str(fault.params.get("table") or "")
    rows = nodes.ask(node, _TABLE, wanted, wanted or None)
    if not rows:
        raise FaultError(f"there is no table '{wanted}'", target=named)
    table, file, size, blocks, checksums = rows[0]
    if checksums != "on":
        raise FaultError("data checksums are off: damage might go unnoticed", target=named)
    folder = Path(str(nodes.one(node, "SHOW data_directory")))
    postmaster = _host.postmaster(nodes, node, folder)
    there = _host.view(folder) / file
    if not os.access(there, os.R_OK | os.W_OK):
        raise FaultError(f"its file {there} cannot be written from here", target=named)
    block = _block(nodes, node, table, _page.candidates(blocks, lease_id))
    programs = str(Path(processes.link(postmaster.pid, "exe")).parent)
    undo = _Undo(fault.home, link, node.name, str(folder), programs, table, file, block, size,
                 _page.mask(lease_id).hex())
    return nodes, node, undo


def _standby(nodes: Cluster) -> Node:
    roles = nodes.in_recovery()
    for node in nodes.nodes:
        if roles[node.name]:
            return node
    raise FaultError("no standby answers", target=nodes.target)


def _write_out(nodes: Cluster, standby: Node) -> None:
    """Have the standby begin its next recovery where each page comes whole with its first change.

    So replay never reads the damaged page, which would keep the standby from starting.
    """
    primary = nodes.primary()
    nodes.run(primary, "CHECKPOINT")
    goal = str(nodes.one(primary, "SELECT pg_current_wal_flush_lsn()::text"))
    until = time.monotonic() + _REPLAYED_WITHIN
    while not nodes.one(standby, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", goal):
        if time.monotonic() > until:
            text = f"has not replayed {goal} within {_REPLAYED_WITHIN:g} s"
            raise TransientFaultError(text, target=nodes.named(standby))
        time.sleep(_MOMENT)
    nodes.run(standby, "CHECKPOINT")


def _damage(undo: _Undo, target: str) -> None:
    """Lay the mask, and kill the server before it writes what it has of the page in memory."""
    page = undo.page  # while somebody lives there to be looked through
    with _page.frozen(undo.folder):
        if not page.is_there() or not page.is_whole():
            raise FaultError(f"block {undo.block} of {undo.table} is damaged already",
                             target=target)
        page.lay()
        for process in processes.working_in(undo.folder):
            processes.send(process, signal.SIGKILL)


def _wait_until_back(undo: _Undo, nodes: Cluster, node: Node) -> None:
    """Give whoever keeps the server some time to start it, else start it; wait until it answers."""
    begun = seen = time.monotonic()
    while nodes.in_recovery()[node.name] is None:
        now = time.monotonic()
        if processes.working_in(undo.folder):
            seen = now  # it is on its way
        elif now > seen + _OTHERS_TURN and (Path(undo.folder) / "postmaster.opts").exists():
            kept = Path(undo.home) / "rejoin"
            place = _rejoin.Place(Path(undo.folder), Path(undo.programs), kept)
            with suppress(TransientFaultError):  # somebody was quicker: that it answers counts
                _rejoin.start(nodes, node, place)
        if now > begun + _BACK_WITHIN:
            text = f"does not answer within {_BACK_WITHIN:g} s"
            raise TransientFaultError(text, target=nodes.named(node))
        time.sleep(_MOMENT)


def _unreadable(nodes: Cluster, node: Node, undo: _Undo) -> str:
    """Why the page's rows cannot be read; empty if they can, or if the table is gone."""
    from psycopg import errors

    try:
        _rows(nodes, node, undo.table, undo.block)
    except TransientFaultError:
        raise
    except FaultError as error:
        if isinstance(error.__cause__, errors.UndefinedTable):
            return ""
        return str(error.__cause__).splitlines()[0]
    return ""


def _rows(nodes: Cluster, node: Node, table: str, block: int) -> int:
    """How many rows of this block can be seen."""
    question = f"SELECT count(*) FROM {table} WHERE ctid >= %s::tid AND ctid < %s::tid"  # noqa: S608 - quoted by the server
    return int(nodes.one(node, question, f"({block},0)", f"({block + 1},0)"))


def _block(nodes: Cluster, node: Node, table: str, blocks: Sequence[int]) -> int:
    for block in blocks:
        if _rows(nodes, node, table, block):
            return block
    raise FaultError(f"no page of {table} with rows was found", target=nodes.named(node))


DRIVER: FaultDriver = CorruptPageDriver()
