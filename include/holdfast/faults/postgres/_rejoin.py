"""Bring a dead node back: start it again, or rewind it to follow the node that took over."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.clients import processes
from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import TransientFaultError
from holdfast.faults.postgres import _own_files

SETTLE = 10.0
_START = 20.0
_PROGRAM = 30.0
_OTHERS = 20.0
"""How long to wait for another party that rejoins the same node. Seconds."""
_MOMENT = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """A node on this host: its data directory, its programs, where its own files are kept.

    `patience` is how long a rewind may take: killed half-way, it would have to begin again.
    """

    folder: Path
    programs: Path
    kept: Path
    patience: float = _PROGRAM


def rejoin(nodes: Cluster, dead: Node, place: Place) -> None:
    """Start the node as it was; as a standby when another one takes writes now.

    Only one party does it at a time, be it what is left of a keeper that was killed.
    """
    with _alone(place.folder, nodes.named(dead)) as lock:
        others = [node for node in nodes.writable() if node != dead]
        if others:
            _follow(nodes, dead, others[0], place, lock)
        elif not nodes.writable():
            _start(nodes, dead, place)


def start(nodes: Cluster, dead: Node, place: Place) -> None:
    """Start the node as it was, in the role that its files give it, unless it answers."""
    with _alone(place.folder, nodes.named(dead)):
        if nodes.in_recovery()[dead.name] is None:
            _start(nodes, dead, place)


@contextmanager
def _alone(folder: Path, target: str) -> Iterator[int]:
    """A lock on the data directory itself: there is no file to write, nor one to be rewound.

    Whoever inherits the handle holds it too.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    until = time.monotonic() + _OTHERS
    try:
        while not _locked(handle):
            if time.monotonic() >= until:
                raise TransientFaultError("is being rejoined by somebody else", target=target)
            time.sleep(_MOMENT)
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def pid_of(folder: Path) -> int:
    """The pid that the data directory's lock file names; 0 without one."""
    try:
        return int((folder / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _follow(nodes: Cluster, dead: Node, primary: Node, place: Place, lock: int) -> None:
    if nodes.in_recovery()[dead.name]:
        return
    folder, programs = place.folder, place.programs
    # pg_ctl would signal whoever now has the pid of a stale lock file.
    if processes.link(pid_of(folder), "cwd") == str(folder):
        stop = [str(programs / "pg_ctl"), "-D", str(folder), "-m", "immediate", "stop"]
        _run(nodes, dead, folder, stop)
    with nodes.session(primary) as link:
        link.execute("CHECKPOINT")  # pg_rewind reads the new timeline from the control file
    own = _own_files.keep(folder, place.kept)
    _own_files.restore(folder, own)  # a rewind that was cut off may have put others there
    source = nodes.address(primary, secret=False)
    rewind = [str(programs / "pg_rewind"), f"--target-pgdata={folder}", f"--source-server={source}"]
    try:
        with _password(nodes.password, folder) as handle:
            terms = _Terms(max(_PROGRAM, place.patience), (lock,), handle)
            _run(nodes, dead, folder, rewind, terms)
    finally:
        _own_files.restore(folder, own)  # pg_rewind has put the other node's in their place
    _write_standby(nodes, dead, primary, folder)
    _start(nodes, dead, place)
    with suppress(OSError):  # kept by lease: nobody else will take them for theirs
        _own_files.forget(place.kept)


def _write_standby(nodes: Cluster, dead: Node, primary: Node, folder: Path) -> None:
    """The last line of a setting wins, so the node's own ones may stay."""
    source = nodes.address(primary) + f" application_name={dead.name}"
    quoted = source.replace("\\", "\\\\").replace("'", "''")
    auto = folder / "postgresql.auto.conf"
    added = f"primary_conninfo = '{quoted}'\nprimary_slot_name = ''\n"
    _own_files.restore(folder, {
        auto.name: auto.read_bytes() + added.encode(), "standby.signal": b"",
    })


def _start(nodes: Cluster, node: Node, place: Place) -> None:
    """Start the server with the options it last had."""
    folder, programs = place.folder, place.programs
    pid = pid_of(folder)
    if pid and processes.look(pid) is None and not processes.working_in(str(folder)):
        # A killed postmaster nobody has reaped yet still looks alive to the next one.
        (folder / "postmaster.pid").unlink()
    last = (folder / "postmaster.opts").read_text().strip()
    options = last[last.index(' "'):] if ' "' in last else ""  # after the program's path
    arguments = ["-D", str(folder), "-w", "-t", f"{_START:g}", "-l", str(folder / "holdfast.log")]
    _run(nodes, node, folder, [str(programs / "pg_ctl"), *arguments, "-o", options, "start"])


@dataclass(frozen=True, slots=True)
class _Terms:
    """How long a program may run, and the handles it inherits; that of a password file, or -1."""

    seconds: float = _PROGRAM
    handles: tuple[int, ...] = ()
    password: int = -1


def _run(
    nodes: Cluster, node: Node, folder: Path, command: Sequence[str],
    terms: _Terms = _Terms(),
) -> None:
    """Run a program of PostgreSQL as the data directory's owner: it refuses to be root."""
    has_password = terms.password >= 0
    done = subprocess.run(
        [*_as_owner(folder), *command], cwd=folder,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
        | ({"PGPASSFILE": f"/dev/fd/{terms.password}"} if has_password else {}),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=terms.seconds,
        pass_fds=(*terms.handles, terms.password) if has_password else terms.handles,
    )
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
        text = f"{Path(command[0]).name} failed: {said}"
        raise TransientFaultError(text, target=nodes.named(node))


@contextmanager
def _password(password: str, folder: Path) -> Iterator[int]:
    """A handle to a password file of PostgreSQL's that is in memory only; -1 without a password.

    An environment could be read in /proc, and a file on disk would outlive a kill.
    """
    if not password:
        yield -1
        return
    owner, handle = folder.stat(), os.memfd_create("pgpass")
    try:
        os.fchmod(handle, 0o600)
        os.fchown(handle, owner.st_uid, owner.st_gid)
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        os.write(handle, f"*:*:*:*:{escaped}\n".encode())
        yield handle
    finally:
        os.close(handle)


def _as_owner(folder: Path) -> Sequence[str]:
    if os.geteuid() != 0:
        return []
    owner = folder.stat()
    # The owner may not be able to reach a data directory below somebody's home; root can.
    return [
        "setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--",
    ]
