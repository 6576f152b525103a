"""Bring a dead node back: start it again, or rewind it to follow the node that took over."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from holdfast.clients import processes
from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import TransientFaultError

SETTLE = 10.0
_OWN_FILES = (
    "postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf", "postmaster.opts",
)
_START = 20.0


def rejoin(nodes: Cluster, dead: Node, folder: Path, programs: Path) -> None:
    """Start the node as it was; as a standby when another one takes writes now."""
    others = [node for node in nodes.writable() if node != dead]
    if others:
        _follow(nodes, dead, others[0], folder, programs)
    elif not nodes.writable():
        _start(nodes, dead, folder, programs)


def pid_of(folder: Path) -> int:
    """The pid that the data directory's lock file names; 0 without one."""
    try:
        return int((folder / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _follow(nodes: Cluster, dead: Node, primary: Node, folder: Path, programs: Path) -> None:
    if nodes.in_recovery()[dead.name]:
        return
    # pg_ctl would signal whoever now has the pid of a stale lock file.
    if processes.link(pid_of(folder), "cwd") == str(folder):
        stop = [str(programs / "pg_ctl"), "-D", str(folder), "-m", "immediate", "stop"]
        _run(nodes, dead, folder, stop)
    with nodes.session(primary) as link:
        link.execute("CHECKPOINT")  # pg_rewind reads the new timeline from the control file
    own = {name: (folder / name).read_bytes() for name in _OWN_FILES if (folder / name).exists()}
    source = nodes.address(primary, secret=False)
    rewind = [str(programs / "pg_rewind"), f"--target-pgdata={folder}", f"--source-server={source}"]
    try:
        _run(nodes, dead, folder, rewind, {"PGPASSWORD": nodes.password} if nodes.password else {})
    finally:
        # pg_rewind has put the other node's in their place.
        for name, content in own.items():
            _write(folder / name, content)
    _write_standby(nodes, dead, primary, folder)
    _start(nodes, dead, folder, programs)


def _write_standby(nodes: Cluster, dead: Node, primary: Node, folder: Path) -> None:
    """The last line of a setting wins, so the node's own ones may stay."""
    source = nodes.address(primary) + f" application_name={dead.name}"
    quoted = source.replace("\\", "\\\\").replace("'", "''")
    auto = folder / "postgresql.auto.conf"
    added = f"primary_conninfo = '{quoted}'\nprimary_slot_name = ''\n"
    _write(auto, auto.read_bytes() + added.encode())
    _write(folder / "standby.signal", b"")


def _write(file: Path, content: bytes) -> None:
    """A file of the data directory, its owner's alone."""
    file.touch(mode=0o600)
    file.write_bytes(content)
    owner = file.parent.stat()
    os.chown(file, owner.st_uid, owner.st_gid)


def _start(nodes: Cluster, node: Node, folder: Path, programs: Path) -> None:
    """Start the server with the options it last had."""
    pid = pid_of(folder)
    if pid and processes.look(pid) is None and not processes.working_in(str(folder)):
        # A killed postmaster nobody has reaped yet still looks alive to the next one.
        (folder / "postmaster.pid").unlink()
    last = (folder / "postmaster.opts").read_text().strip()
    options = last[last.index(' "'):] if ' "' in last else ""  # after the program's path
    arguments = ["-D", str(folder), "-w", "-t", f"{_START:g}", "-l", str(folder / "holdfast.log")]
    _run(nodes, node, folder, [str(programs / "pg_ctl"), *arguments, "-o", options, "start"])


def _run(
    nodes: Cluster, node: Node, folder: Path, command: Sequence[str],
    secret: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a program of PostgreSQL as the data directory's owner: it refuses to be root."""
    done = subprocess.run(
        [*_as_owner(folder), *command], cwd=folder,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", **secret},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_START + 10, check=False,
    )
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
        text = f"{Path(command[0]).name} failed: {said}"
        raise TransientFaultError(text, target=nodes.named(node))


def _as_owner(folder: Path) -> Sequence[str]:
    if os.geteuid() != 0:
        return []
    owner = folder.stat()
    # The owner may not be able to reach a data directory below somebody's home; root can.
    return [
        "setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--",
    ]
