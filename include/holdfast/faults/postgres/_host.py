"""A server of this host: its postmaster, and its files as it sees them itself."""

from pathlib import Path

from holdfast.clients import processes
from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError


def view(folder: Path) -> Path:
    """Where the data directory is seen from here.

    A server may live in a mount namespace of its own: then the path leads through its process.
    """
    for process in processes.working_in(str(folder)):
        inside = Path(f"/proc/{process.pid}/root") / folder.relative_to("/")
        if (inside / "PG_VERSION").exists():
            return inside
    return folder


def postmaster(nodes: Cluster, node: Node, folder: Path) -> processes.Process:
    """The server's postmaster, if it is a process of this host and certainly this server's."""
    try:
        lines = (view(folder) / "postmaster.pid").read_text().splitlines()
    except OSError as error:
        text = f"no readable postmaster.pid in {folder} on this host"
        raise FaultError(text, target=nodes.named(node)) from error
    begun = nodes.one(node, "SELECT extract(epoch FROM pg_postmaster_start_time())::bigint")
    process = processes.look(int(lines[0]))
    if process is None or abs(int(lines[2]) - int(begun)) > 1:
        raise FaultError(f"{folder} on this host is another server's", target=nodes.named(node))
    if not processes.link(process.pid, "exe"):
        text = f"not allowed to look at its process {process.pid}"
        raise FaultError(text, target=nodes.named(node))
    return process
